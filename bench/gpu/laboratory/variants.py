"""Times variants of the decode step for NVIDIA devices in turns, in one process: its template with lines exchanged.

    from variants import *
    open_device()
    compare(build_all([Variant("as it is", "int8"), Variant("two warps", "int8", [("a line", "another")], {"WARPS": 2})]))

Constants are those of the sources generated for bench (GENERATED; copies of them on a machine without Java).
"""
import os, re, statistics, subprocess
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from cl import *
import pack

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "../../..")
TEMPLATE = os.environ.get("TEMPLATE", root + "/processor/src/main/resources/dev/attune/processor/emit/opencl/nvidia_attend.cl")
GENERATED = os.environ.get("GENERATED", root + "/bench/target/generated-sources/annotations/dev/attune/bench/gpu")
G, d = 4, 128
# name of the generated class; T, bytes of a kept key entry, K, bytes of a kept value entry
FORMATS = {"bf16": ("Keys80Values80", 26, 2, 13, 2), "int8": ("Keys80Values80Int8", 26, 1, 13, 1),
           "konly": ("Keys80", 26, 2, 64, 2), "dense": ("Dense", 128, 2, 64, 2)}
SHAPES = {"S1": (8, 512), "S2": (8, 2048), "S3": (64, 512)}  # heads, tiles
HEADS, TILES = 8, 16  # of the data, which is repeated
COPIES = 2  # buffers that take turns
dev = None

def fold(text, conditions):
    """As Template.java does."""
    included, out = [], []
    for line in text.split("\n"):
        if line.startswith("#if "):
            holds = True
            for term in line[4:].split("&&"):
                term = term.strip(); both = term.split(" == ")
                holds &= (conditions[both[0]] == int(both[1]) if len(both) == 2
                          else conditions[term[1:]] == 0 if term.startswith("!") else conditions[term] != 0)
            included.append(holds)
        elif line == "#else": included.append(not included.pop())
        elif line == "#endif": included.pop()
        elif all(included): out.append(line)
    return "\n".join(out)

def constants(fmt):
    text = open(f"{GENERATED}/{FORMATS[fmt][0]}OpenClKernels.java").read()
    block = lambda name: [line[4:] for line in text.split(name + ' = """\n')[1].split('"""')[0].split("\n")]
    nvidia = block("NVIDIA_ATTEND")
    lines = block("COMMON") + nvidia[:next(i for i, line in enumerate(nvidia) if "#define THREADS" in line)]
    return dict(re.match(r"#define\s+(\w+)\s+(\S+)", line).groups() for line in lines if line.startswith("#define"))

def source(fmt, edits=(), defines=None, template=None):
    _, T, key_bytes, K, value_bytes = FORMATS[fmt]
    keys_dense, values_dense = int(T >= d), int(K >= 64)
    text = open(template or TEMPLATE).read()
    for old, new in edits:
        if old not in text: raise SystemExit(f"not in the text: {old}")
        text = text.replace(old, new)
    return ("#pragma OPENCL FP_CONTRACT ON\n"
            + "".join(f"#define {k} {v}\n" for k, v in {**constants(fmt), **(defines or {})}.items())
            + fold(text, dict(KEYS_DENSE=keys_dense, VALUES_DENSE=values_dense, KEY_BYTES=key_bytes, VALUE_BYTES=value_bytes,
                              CENTRED_KEYS=1 - keys_dense, SIGNED_KEYS=1 - keys_dense, SIGNED_VALUES=1 - values_dense)))

def arranged(indices):
    """Order of the entries of 16 lanes [16, entries], as arrange_tiles leaves them."""
    lanes, entries = indices.shape
    order = np.tile(np.arange(entries), (lanes, 1)); indices = indices.copy()
    for slot in range(entries):
        delivered = {}
        for lane in range(lanes):
            at = next((e for e in range(slot, entries)
                       if delivered.get(indices[lane, e] % 16, indices[lane, e]) == indices[lane, e]), slot)
            for a in (indices, order): a[lane, slot], a[lane, at] = a[lane, at], a[lane, slot]
            delivered.setdefault(indices[lane, slot] % 16, indices[lane, slot])
    return order

def arrange_keys(kept):
    """kept [heads, tiles, 64, T] -> order along the last axis"""
    lanes = kept.reshape(-1, 16, kept.shape[-1])
    return np.stack([arranged(x) for x in lanes]).reshape(kept.shape)

def arrange_values(kept):
    """kept [heads, tiles, K, 128] -> order along the axis of K"""
    return np.moveaxis(arrange_keys(np.ascontiguousarray(np.moveaxis(kept, 2, 3))), 3, 2)

def kept_data(ascending, T, key_bytes, K, value_bytes):
    rng = np.random.default_rng(7)
    k = (rng.normal(0, 1, (HEADS, TILES, 64, d)) + rng.normal(0, 1, (HEADS, TILES, 1, d))).astype(np.float32)
    v = rng.normal(0, 1, (HEADS, TILES, 64, d)).astype(np.float32)
    s = np.exp(rng.normal(0, .3, (HEADS, d))).astype(np.float32) if T < d else np.ones((HEADS, d), np.float32)
    key_tiles, keys = pack.pack_keys(k * s[:, None, None], T, key_bytes, reorder=None if ascending else arrange_keys)
    value_tiles, values = pack.pack_values(v, K, value_bytes, reorder=None if ascending else arrange_values)
    return dict(tiles=np.concatenate([key_tiles, value_tiles], -1), s=s, k=keys.reshape(HEADS, -1, d), v=values.reshape(HEADS, -1, d))

_data, _caches, _expected = {}, {}, {}
def data(fmt, ascending):
    if (fmt, ascending) not in _data: _data[fmt, ascending] = kept_data(ascending, *FORMATS[fmt][1:])
    return _data[fmt, ascending]

def caches(fmt, shape, ascending):
    """Equal buffers, to take turns"""
    key = (fmt, shape, ascending)
    if key not in _caches:
        heads, n = SHAPES[shape]
        host = np.ascontiguousarray(np.tile(data(fmt, ascending)["tiles"], (1, (n + TILES - 1) // TILES, 1))[:, :n])
        total = heads // HEADS * host.nbytes; buffers = [dev.buffer(total) for _ in range(COPIES)]; one = buffers[0]
        dev.write(one, host)
        for j in range(1, heads // HEADS): dev.copy(one, one, 0, j * host.nbytes, host.nbytes)
        for other in buffers[1:]: dev.copy(one, other, 0, 0, total)
        dev.finish()
        _caches[key] = buffers
    return _caches[key]

def query(heads):
    rng = np.random.default_rng(11)
    return (rng.normal(0, 1, (heads, G, d)) * np.exp(rng.normal(0, .5, (heads, G, 1)))).astype(np.float32)

def expected(fmt, shape):
    if (fmt, shape) not in _expected:
        heads, n = SHAPES[shape]; D = data(fmt, False); q = query(heads)
        counts = np.repeat([(n - i + TILES - 1) // TILES for i in range(TILES)], 64).astype(np.float64)
        _expected[fmt, shape] = np.concatenate(
            [pack.reference(q[j:j + HEADS], D["s"], D["k"], D["v"], counts) for j in range(0, heads, HEADS)])
    return _expected[fmt, shape]

class Variant:
    """check: whether results are right; not if something is left out. ascending: slots as they are in host memory.
    template: another file with the text; at_once: splits that are merged at once."""
    def __init__(self, name, fmt, edits=(), defines=None, per_unit=4, ascending=False, check=True, template=None,
                 at_once=None):
        self.name, self.fmt, self.per_unit, self.ascending, self.checked, self.at_once = name, fmt, per_unit, ascending, check, at_once
        self.source = source(fmt, edits, defines, template)
        self.warps = int(re.search(r"#define WARPS (\d+)", self.source)[1])
    def build(self):
        ptx = f"/tmp/{re.sub('[^A-Za-z0-9_.-]', '_', self.name)}.{self.fmt}.ptx"
        self.kernel = dev.kernel(dev.build(self.source, "", binary=ptx), "attend")
        log = subprocess.run(["ptxas", "-v", "-arch=sm_90", ptx, "-o", ptx[:-3] + "cubin"], capture_output=True, text=True).stderr
        return " ".join(re.findall(r"(?:Used \d+ registers|\d+ bytes smem|\d+ bytes spill stores)", log)) or log[-200:]
    def prepare(self, shape):
        self.heads, n = SHAPES[shape]
        self.splits = min(max(1, dev.units * self.per_unit // self.heads), n)
        at_once = self.splits if self.splits <= 16 else int(np.ceil(np.sqrt(self.splits)))
        if self.at_once and self.splits > 16: at_once = self.at_once
        clusters = 0 if self.splits <= at_once else -(-self.splits // at_once)
        self.packed = caches(self.fmt, shape, self.ascending)
        self.out = dev.buffer(np.full(self.heads * G * (d + 1) + 1, np.nan, np.float32))
        self.buffers = [dev.buffer(query(self.heads)), dev.buffer(np.tile(data(self.fmt, False)["s"], (self.heads // HEADS, 1))),
                        dev.buffer(self.heads * (self.splits + clusters) * G * (d + 2) * 4),
                        dev.buffer(np.zeros(self.heads * (clusters + 1), np.uint32)), self.out]
        q, s, partials, arrivals, out = self.buffers
        dev.set(self.kernel, [q, s, self.packed[0], self.packed[0], partials, arrivals, out]
                + [np.int32(x) for x in (n * 64, 0, n, 0, self.splits, at_once, 7)])
        self.error, self.first = 0, None
    def run(self, turn=0):
        dev.arg(self.kernel, 2, self.packed[turn % COPIES])
        return dev.launch(self.kernel, (self.heads * self.splits * 32 * self.warps,), (32 * self.warps,))
    def check(self, shape):
        out = dev.read(self.out, np.empty(self.heads * G * (d + 1) + 1, np.float32))
        if self.checked:
            want = expected(self.fmt, shape)
            self.error = max(self.error, float(((out[:want.size].reshape(want.shape) - want) ** 2).sum() / (want ** 2).sum()))
        if self.first is None: self.first = out
        elif not np.array_equal(out.view(np.uint32), self.first.view(np.uint32)): self.error = float("nan")  # not the same bits
    def close(self):
        for b in self.buffers: dev.release(b)

def open_device():
    global dev
    dev = Device()
    print("device", dev.name, dev.driver, dev.units, flush=True)

def build_all(variants):
    def built(v):
        try: return v, v.build()
        except Error as failure: return None, f"{v.name} {str(failure)[:1500]}"
    with ThreadPoolExecutor(12) as pool: results = list(pool.map(built, variants))
    for v, what in results: print(f"{v.fmt} {v.name:30s} {what}" if v else what, flush=True)
    return [v for v, _ in results if v]

def compare(variants, shapes=("S2", "S3"), rounds=6, n=6):
    """Median us of launches in a row, and of launches that the host waits for"""
    us = {}
    for shape in shapes:
        for v in variants:
            v.prepare(shape); v.run(); dev.finish(); v.check(shape)
            for i in range(20): v.run(i)
            dev.finish()
        for r in range(rounds):
            for v in variants[r % len(variants):] + variants[:r % len(variants)]:
                v.run()
                events = [v.run(i) for i in range(n)]; dev.finish()
                us.setdefault((v, shape, "row"), []).extend((b - a) / 1e3 for a, b in map(dev.times, events))
                for i in range(n):
                    event = v.run(i); dev.finish(); a, b = dev.times(event)
                    us.setdefault((v, shape, "alone"), []).append((b - a) / 1e3)
        for v in variants: v.check(shape); v.close(); us[v, shape, "error"] = v.error
    for v in variants:
        row = lambda s: statistics.median(us[v, s, "row"])
        size = data(v.fmt, False)["tiles"].shape[-1]
        print(f"{v.fmt} {v.name:30s}", *(f" {s} {row(s):6.1f} alone {statistics.median(us[v, s, 'alone']):6.1f}"
              f" ({SHAPES[s][0] * SHAPES[s][1] * size / row(s) / 1e3:5.0f} GB/s) NMSE {us[v, s, 'error']:.1e}" for s in shapes), flush=True)
