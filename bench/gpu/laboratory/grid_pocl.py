"""Correctness of portable.cl over head dimensions, ratios, groups, formats, tails, on whatever OpenCL device is there."""
import sys
from bench import *
import pack
def case(dd, T, K, heads, kb, vb, ptok, dtok, splits, H=2, seed=0, src="portable.cl", flags=(1, 1, 1)):
    r = np.random.default_rng(seed)
    pt, dt = (ptok + 63) // 64, (dtok + 63) // 64
    k = r.normal(0, 1, (H, max(pt, 1) + dt, 64, dd)).astype(np.float32) + r.normal(0, 1, (H, 1, 1, dd)).astype(np.float32); v = r.normal(0, 1, k.shape).astype(np.float32)
    s = np.exp(r.normal(0, .3, (H, dd))).astype(np.float32)
    n = max(pt, 1)
    kN, vN = (2 if kb == 1 else kb), (2 if vb == 1 else vb)
    kB, kR = pack.pack_keys((k[:, :n] * s[:, None, None]) if T < dd else k[:, :n], T, kb if T < dd else kN, flags[0], flags[1]); vB, vR = pack.pack_values(v[:, :n], K, vb if K < 64 else vN, flags[2])
    if T < dd: kR = kR / s[:, None, None]
    pbuf = np.concatenate([kB, vB], -1)
    if dt:
        dk, dkR = pack.pack_keys(k[:, n:], dd, kN); dv, dvR = pack.pack_values(v[:, n:], 64, vN)
        dbuf = np.concatenate([dk, dv], -1)
    else: dbuf, dkR, dvR = np.zeros(16, np.uint8), np.zeros((H, 0, 64, dd)), np.zeros((H, 0, 64, dd))
    q = r.normal(0, 1, (H, heads, dd)).astype(np.float32)
    keys = np.concatenate([kR.reshape(H, -1, dd)[:, :ptok], dkR.reshape(H, -1, dd)[:, :dtok]], 1)
    vals = np.concatenate([vR.reshape(H, -1, dd)[:, :ptok], dvR.reshape(H, -1, dd)[:, :dtok]], 1)
    ref = pack.reference(q, np.ones((H, dd)), keys, vals, np.ones(ptok + dtok))
    pre = "".join(f"#define {a} {b}\n" for a, b in dict(CHANNELS=dd, T=T, K=K, HEADS=heads, KEY_BYTES=kb, VALUE_BYTES=vb, KEYS_DENSE=int(T >= dd), VALUES_DENSE=int(K >= 64), CENTERED=flags[0], KEY_SIGNS=flags[1], VALUE_SIGNS=flags[2]).items())
    prog = dev.build(pre + open(os.path.join(here_, src)).read()); dec, mer = dev.kernel(prog, "decode"), dev.kernel(prog, "merge")
    D = (dd + 31) // 32 * 32; P = (heads + 3) // 4
    part = dev.buffer(H * P * splits * 4 * (D + 2) * 4); out = dev.buffer(np.full((H, heads, dd), np.nan, np.float32))
    bq, bs, bp, bd = dev.buffer(q), dev.buffer(s), dev.buffer(pbuf), dev.buffer(dbuf)
    dev.set(dec, [bq, bs, bp, bd, part, np.uint32(n), np.uint32(ptok), np.uint32(dt), np.uint32(dtok), np.uint32(splits)])
    dev.set(mer, [part, out, np.uint32(splits)])
    dev.launch(dec, (splits * 32, H * P), (32, 1)); dev.launch(mer, (4 * D // 32 * 256, H * P), (256, 1)); dev.finish()
    o = dev.read(out, np.empty((H, heads, dd), np.float32))
    e = nmse(o, ref)
    for b in (part, out, bq, bs, bp, bd): dev.release(b)
    print(f"d {dd} T {T} K {K} heads {heads} bytes {kb}/{vb} packed {ptok} dense {dtok} splits {splits} flags {flags}: {e:.2e} {'' if e < 4e-5 else 'BAD'}", flush=True)
    return e
GRID = [(128, 26, 13, 4, 2, 2, 640, 0, 3), (128, 26, 13, 4, 2, 2, 600, 100, 4), (128, 26, 13, 4, 1, 1, 640, 33, 3), (128, 26, 64, 4, 2, 2, 256, 64, 2), (128, 128, 13, 4, 2, 2, 256, 10, 2), (128, 26, 13, 4, 4, 4, 300, 10, 2), (64, 13, 32, 7, 2, 2, 320, 1, 3), (96, 20, 13, 1, 2, 2, 256, 65, 2), (80, 16, 13, 8, 2, 2, 200, 5, 2), (256, 52, 13, 2, 2, 2, 192, 64, 2), (512, 103, 13, 1, 2, 2, 128, 20, 1), (16, 4, 7, 3, 2, 4, 128, 20, 1), (128, 128, 64, 4, 2, 2, 128, 100, 2), (112, 12, 7, 4, 1, 2, 64, 0, 1), (128, 26, 13, 4, 2, 2, 64, 0, 1), (192, 39, 13, 6, 4, 2, 128, 9, 2)]
if __name__ == "__main__":
    bad = 0
    if sys.argv[1:] == ["flags"]:
        for f in ((0, 0, 0), (0, 1, 0), (1, 0, 1)): bad += not case(128, 26, 13, 4, 2, 2, 200, 30, 2, flags=f) < 4e-5
        raise SystemExit(bad)
    for c in (GRID if len(sys.argv) < 2 else GRID[:0] + [GRID[int(i)] for i in sys.argv[1].split(",")]):
        bad += not case(*c) < 4e-5
    print("bad", bad)
    raise SystemExit
