"""Where a launch's time goes, by times that every warp writes down.

    from trace import *
    open_device()
    traced = build_all([Variant("begin", "int8", BEGIN), Variant("end", "int8", END)])
    steps(traced[0], "S2", BEGIN_NAMES)
    steps(traced[1], "S3", END_NAMES)

The clock is the events' as well. Stamps are edits of the text: places in it, which change with it.
"""
from variants import *
import variants

NOW = '''static inline ulong now() {
    ulong t;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
    return t;
}
'''
STAMPS = 8  # places for the stamps of a warp
def stamp(k): return f"if (lane == 0) {{ trace[((size_t) get_group_id(0) * WARPS + warp) * {STAMPS} + {k}] = now(); }}\n"
def before(line, k): return line, stamp(k) + line
def after(line, k): return line, line + stamp(k)
ARGUMENT = [("static inline void init_barrier", NOW + "static inline void init_barrier"),
            ("int cluster_size, int launch) {", "int cluster_size, int launch, global ulong *trace) {")]
LOOP = "    for (uint tile = first_tile; tile < end_tile; tile += WARPS) {\n"
WAIT = "            await(key_barrier, parity);\n"
BEGIN_NAMES = ("start", "shares", "copies asked for", "query here", "tables", "loop", "first keys")
BEGIN = ARGUMENT + [
    before("    // Dense tiles come first.\n", 0), before("    // The query is asked for first: behind", 1),
    before("    float largest = 0;\n", 2), after("        largest = fmax(largest, shuffle_xor(largest, x));\n    }\n", 3),
    before("#if !KEYS_DENSE && SIGNED_KEYS\n    // A sum under signs", 4), before(LOOP, 5),
    (WAIT, WAIT + "if (tile == first_tile) {" + stamp(6) + "}\n")]
ARRIVAL = "        if (!last_to_arrive(head_arrivals + counter, count, &arrival_order)) {\n            return;\n        }\n"
RESULT = "    merge_warps(warp_sums, warp_stats, outputs, (global float2 *) 0, log_sum_exps, heads, 1);\n}"
END_NAMES = ("loop done", "results local", "partial written", "arrived last", "gathered", "end")
END = ARGUMENT + [
    before("    // Merge of the warps, then of the splits by", 0), before("    // Results: outputs of all query heads,", 1),
    (ARRIVAL, stamp(2) + ARRIVAL + stamp(3)), before("        if (last) {\n            break;", 4),
    (RESULT, RESULT[:-1] + stamp(5) + "}")]

def steps(v, shape, names):
    """When warps come to each place, from the first stamp, and how long after the place before. Where a merge has two levels,
    the second overwrites the first's times, but for those of groups that do not get there."""
    dev = variants.dev
    v.prepare(shape)
    shape_of = (v.heads * v.splits, v.warps, STAMPS)
    buffer = dev.buffer(np.zeros(shape_of, np.uint64))
    dev.arg(v.kernel, 14, buffer)
    for i in range(200): v.run(i)
    dev.finish()
    for mode in ("row", "alone"):
        dev.write(buffer, np.zeros(shape_of, np.uint64))
        for i in range(6):
            event = v.run(i)
            if mode == "alone": dev.finish()
        dev.finish(); a, b = dev.times(event)
        t = dev.read(buffer, np.zeros(shape_of, np.uint64)).astype(np.int64)[:, :, :len(names)]
        first = t[:, :, 0].min(); r = np.where(t == 0, np.nan, (t - first) / 1e3)
        r[r < 0] = np.nan  # of launches before
        print(f"{v.fmt} {v.name} {shape} {mode}: {(b - a) / 1e3:.1f} us, {(first - a) / 1e3:.2f} to the first stamp, {(b - t.max()) / 1e3:.2f} from the last")
        for k, name in enumerate(names):
            x, since = r[:, :, k], r[:, :, k] - r[:, :, max(k - 1, 0)]
            print(f"  {name:16s} {np.isfinite(x).sum():5d} warps, 10 50 90 100 %:", np.nanpercentile(x, (10, 50, 90, 100)).round(2),
                  " since", np.nanpercentile(since, (10, 50, 90, 100)).round(2), flush=True)
    dev.release(buffer); v.close()
