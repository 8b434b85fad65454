import sys, os, time, json, statistics, traceback
import numpy as np
from cl import *
import pack
G, d = 4, 128
out_dir = os.environ.get("OUT", "/tmp/out"); os.makedirs(out_dir, exist_ok=True)
FORMATS = {  # keys T, key bytes, K, value bytes
    "bf16": (26, 2, 13, 2), "int8": (26, 1, 13, 1), "konly": (26, 2, 64, 2), "dense": (128, 2, 64, 2)}
SHAPES = {"S1": (8, 512), "S2": (8, 2048), "S3": (64, 512)}
dev = Device()
print("device", dev.name, dev.driver, dev.version, dev.units, "local", dev.local, flush=True)
rng = np.random.default_rng(7)
UH, UT = 8, 16
def data(fmt, d=d):
    T, kb, K, vb = FORMATS[fmt]
    chan = np.exp(rng.normal(0, 0.5, (UH, 1, 1, d)))
    k = ((rng.normal(0, 1, (UH, UT, 64, d)) + 2 * rng.normal(0, 1, (UH, UT, 1, d)) * (rng.random((UH, 1, 1, d)) < .2)) * chan).astype(np.float32)
    v = rng.normal(0, 1, (UH, UT, 64, d)).astype(np.float32)
    s = np.exp(rng.normal(0, .3, (UH, d))).astype(np.float32)
    if T >= d: s[:] = 1
    kbytes, kr = pack.pack_keys(k * s[:, None, None], T, kb)
    vbytes, vr = pack.pack_values(v, K, vb)
    return dict(tiles=np.concatenate([kbytes, vbytes], -1), s=s, k=kr.reshape(UH, -1, d), v=vr.reshape(UH, -1, d))
_data = {}
def get(fmt):
    if fmt not in _data: _data[fmt] = data(fmt)
    return _data[fmt]
_cache = {}
def cache(fmt, shape):
    """buffers to rotate for a shape, as one cl_mem each"""
    key = (fmt, shape)
    if key in _cache: return _cache[key]
    for k in list(_cache):
        for b in _cache.pop(k): dev.release(b)
    H, n = SHAPES[shape]; D = get(fmt); tb = D["tiles"].shape[-1]
    host = np.ascontiguousarray(np.tile(D["tiles"], (1, (n + UT - 1) // UT, 1))[:, :n])       # [8, n, tb]
    total = H * n * tb
    count = max(2 if total > 3e8 else 3, int(4e8 // total)) if dev.gpu else 1
    bufs = []
    for i in range(count):
        b = dev.buffer(total)
        if i == 0: 
            for j in range(H // UH): dev.write(b, host, j * host.nbytes)
        else: dev.copy(bufs[0], b, 0, 0, total)
        bufs.append(b)
    dev.finish(); _cache[key] = bufs
    return bufs
def query(H): 
    r = np.random.default_rng(11)
    return (r.normal(0, 1, (H, G, d)) * np.exp(r.normal(0, .5, (H, G, 1)))).astype(np.float32)
_ref = {}
def expected(fmt, shape):
    H, n = SHAPES[shape]; D = get(fmt); key = (fmt, H, min(n, UT) if n < UT else n % UT)
    if key not in _ref:
        q = query(H); cnt = np.repeat([(n - i + UT - 1) // UT for i in range(UT)], 64).astype(np.float64)
        o = []
        for j in range(H // UH): o.append(pack.reference(q[j * 8:j * 8 + 8], D["s"], D["k"], D["v"], cnt))
        _ref[key] = np.concatenate(o)
    return _ref[key]
def nmse(a, b): return float(((a - b) ** 2).sum() / (b ** 2).sum())
class Nv:
    def __init__(self, file, fmt, defs, options="", name="decode", trace=False):
        T, kb, K, vb = FORMATS[fmt]
        self.fmt, self.defs, self.trace = fmt, dict(defs), trace
        self.warps = int(defs.get("WARPS", 3))
        pre = f"#define D {d}\n#define T {min(T, d)}\n#define K {K}\n#define KEY_BYTES {kb}\n#define VALUE_BYTES {vb}\n#define KEYS_DENSE {int(T >= d)}\n#define VALUES_DENSE {int(K >= 64)}\n"
        if trace: pre += "#define TRACE 1\n"
        pre += "".join(f"#define {k} {v}\n" for k, v in defs.items())
        self.source = pre + open(os.path.join(here_, file)).read()
        t = time.time()
        self.prog = dev.build(self.source, options, binary=os.path.join("/tmp", "last.ptx"))
        self.seconds = time.time() - t
        self.k = dev.kernel(self.prog, name)
    def prepare(self, shape, splits, cluster=None):
        H, n = SHAPES[shape]
        self.H, self.n, self.splits = H, n, splits
        if cluster is None: cluster = splits if splits <= 16 else int(np.ceil(np.sqrt(splits)))
        clusters = 0 if splits <= cluster else -(-splits // cluster)
        D = get(self.fmt)
        self.q = dev.buffer(query(H)); self.s = dev.buffer(np.tile(D["s"], (H // UH, 1)))
        self.part = dev.buffer(max(16, H * (splits + clusters) * G * (d + 2) * 4)); self.arr = dev.buffer(np.zeros(H * (clusters + 2), np.uint32))
        self.out = dev.buffer(np.full((H, G, d), np.nan, np.float32))
        self.tr = dev.buffer(np.zeros(H * splits * 5, np.uint64))
        dev.set(self.k, [self.q, self.s, self.part, self.part, self.arr, self.out, np.uint32(n), np.uint32(n), np.uint32(splits), np.uint32(cluster)] + ([self.tr] if self.trace else []))
    def run(self, buf):
        dev.arg(self.k, 2, buf)
        return dev.launch(self.k, (self.splits * 32 * self.warps, self.H), (32 * self.warps, 1))
    def close(self):
        for b in (self.q, self.s, self.part, self.arr, self.out, self.tr): dev.release(b)
class Portable(Nv):
    def __init__(self, fmt, defs, options="", file="portable.cl"):
        super().__init__(file, fmt, {"WARPS": 1, **defs}, options)
        self.m = dev.kernel(self.prog, "merge")
    def prepare(self, shape, splits, cluster=None):
        H, n = SHAPES[shape]; self.H, self.n, self.splits = H, n, splits
        D = get(self.fmt); slots = splits * self.warps
        self.q = dev.buffer(query(H)); self.s = dev.buffer(np.tile(D["s"], (H // UH, 1)))
        self.part = dev.buffer(H * slots * G * (d + 2) * 4); self.arr = dev.buffer(16); self.tr = dev.buffer(16)
        self.out = dev.buffer(np.full((H, G, d), np.nan, np.float32))
        dev.set(self.k, [self.q, self.s, self.part, self.part, np.uint32(n), np.uint32(n), np.uint32(splits)])
        dev.set(self.m, [self.part, self.out, np.uint32(slots)])
    def run(self, buf):
        dev.arg(self.k, 2, buf)
        self.first = dev.launch(self.k, (self.splits * 32 * self.warps, self.H), (32 * self.warps, 1))
        e = dev.launch(self.m, (G * d // 32 * 256, self.H), (256, 1))
        return (self.first, e)
here_ = os.path.dirname(os.path.abspath(__file__))
def measure(v, shape, splits, reps=60, cluster=None, warm=60):
    bufs = cache(v.fmt, shape); v.prepare(shape, splits, cluster)
    try:
        v.run(bufs[0]); dev.finish()
        o = dev.read(v.out, np.empty((v.H, G, d), np.float32)); err = nmse(o, expected(v.fmt, shape)) if v.defs.get("TILE_AT(tile)") is None else 0
        for i in range(warm): v.run(bufs[i % len(bufs)])
        evs = [v.run(bufs[i % len(bufs)]) for i in range(reps)]; dev.finish()
        ts = [(dev.times(e[0])[0], dev.times(e[1])[1]) if isinstance(e, tuple) else dev.times(e) for e in evs]; us = sorted((b - a) / 1e3 for a, b in ts)
        o2 = dev.read(v.out, np.empty((v.H, G, d), np.float32))
        if v.defs.get("TILE_AT(tile)") is None: err = max(err, nmse(o2, expected(v.fmt, shape)))
        if v.trace: v.stamps = dev.read(v.tr, np.zeros((v.H * splits, 5), np.uint64)).astype(np.float64)
    finally: v.close()
    tb = get(v.fmt)["tiles"].shape[-1]; gb = v.H * v.n * tb
    med = us[len(us) // 2]
    return med, us[0], gb / med / 1e3, err
def bandwidth():
    prog = dev.build(open(os.path.join(here_, "nv.cl")).read()); k = dev.kernel(prog, "readAll")
    n = 2 << 30; b = dev.buffer(n); r = dev.buffer(16)
    best = []
    for groups in (4, 8, 16):
        dev.set(k, [b, r, np.uint64(n // 16)])
        evs = [dev.launch(k, (dev.units * groups * 256,), (256,)) for _ in range(9)]; dev.finish()
        us = sorted((y - x) / 1e3 for x, y in map(dev.times, evs)); best.append(n / us[len(us) // 2] / 1e3)
    dev.release(b); dev.release(r)
    return max(best)

def timeline(v, med):
    t = v.stamps; t0 = t[:, 0].min(); r = (t - t0) / 1e3; r[t == 0] = np.nan
    names = ("start", "prologue", "loop", "partial", "end")
    for i, n in enumerate(names):
        c = r[:, i]; c = c[~np.isnan(c)]
        print(f"   {n:9s} min {c.min():6.1f} p10 {np.percentile(c,10):6.1f} med {np.median(c):6.1f} p90 {np.percentile(c,90):6.1f} max {c.max():6.1f}", flush=True)
    print(f"   event {med:.1f} us", flush=True)
def empty():
    prog = dev.build(open(os.path.join(here_, "nv.cl")).read()); k = dev.kernel(prog, "nothing"); r = dev.buffer(16)
    for grid in (1, 528, 4096):
        dev.set(k, [r]); evs = [dev.launch(k, (grid * 96,), (96,)) for _ in range(50)]; dev.finish()
        us = sorted((y - x) / 1e3 for x, y in map(dev.times, evs)); print(f"empty kernel {grid} groups: med {us[25]:.1f} min {us[0]:.1f} us", flush=True)
