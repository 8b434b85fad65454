from bench import *
import grid_pocl, pack
def defines(fmt, **kw):
    T, kb, K, vb = FORMATS[fmt]
    m = dict(CHANNELS=128, T=T, K=K, HEADS=4, KEY_BYTES=kb, VALUE_BYTES=vb, KEYS_DENSE=int(T >= 128), VALUES_DENSE=int(K >= 64), CENTERED=1, KEY_SIGNS=1, VALUE_SIGNS=1)
    m.update(kw); return "".join(f"#define {a} {b}\n" for a, b in m.items())
class Final:
    def __init__(self, fmt, portable=False, file=None, **kw):
        self.fmt, self.portable, self.defs, self.trace = fmt, portable, kw, False
        self.warps = 1 if portable else kw.get("WARPS", 3)
        if not portable: kw = {"WARPS": self.warps, **kw}
        self.prog = dev.build(defines(fmt, **kw) + open(os.path.join(here_, file or ("portable.cl" if portable else "nvidia.cl"))).read(), binary="/tmp/last.ptx")
        self.k = dev.kernel(self.prog, "decode")
        if portable: self.m = dev.kernel(self.prog, "merge")
    def prepare(self, shape, splits, cluster=None):
        H, n = SHAPES[shape]; self.H, self.n, self.splits = H, n, splits
        if cluster is None: cluster = splits if splits <= 16 else int(np.ceil(np.sqrt(splits)))
        clusters = 0 if splits <= cluster else -(-splits // cluster)
        D = get(self.fmt)
        self.q = dev.buffer(query(H)); self.s = dev.buffer(np.tile(D["s"], (H // UH, 1))); self.dn = dev.buffer(64)
        self.part = dev.buffer(H * (splits + clusters) * G * (d + 2) * 4); self.arr = dev.buffer(np.zeros(H * (clusters + 1), np.uint32))
        self.out = dev.buffer(np.full((H, G, d), np.nan, np.float32))
        u = np.uint32
        tail = [u(n), u(n * 64), u(0), u(0), u(splits)]
        if self.portable:
            dev.set(self.k, [self.q, self.s, self.part, self.dn, self.part] + tail); dev.set(self.m, [self.part, self.out, u(splits)])
        else: dev.set(self.k, [self.q, self.s, self.part, self.dn, self.part, self.arr, self.out] + tail + [u(cluster)])
    def run(self, buf):
        dev.arg(self.k, 2, buf)
        e = dev.launch(self.k, (self.splits * 32 * self.warps, self.H), (32 * self.warps, 1))
        if self.portable: return (e, dev.launch(self.m, (G * d // 32 * 256, self.H), (256, 1)))
        return e
    def close(self):
        for b in (self.q, self.s, self.part, self.arr, self.out, self.dn): dev.release(b)
def nv_case(fmt, ptok, dtok, splits, heads, cluster, warps, H=3, T=None, K=None, seed=5, **kw):
    r = np.random.default_rng(seed); dd = 128
    T0, kb, K0, vb = FORMATS[fmt]; T = T or T0; K = K or K0
    n, dt = max((ptok + 63) // 64, 1), (dtok + 63) // 64
    k = r.normal(0, 1, (H, n + dt, 64, dd)).astype(np.float32) + r.normal(0, 1, (H, 1, 1, dd)).astype(np.float32); v = r.normal(0, 1, k.shape).astype(np.float32)
    s = np.exp(r.normal(0, .3, (H, dd))).astype(np.float32)
    kB, kR = pack.pack_keys((k[:, :n] * s[:, None, None]) if T < dd else k[:, :n], T, kb, kw.get('CENTERED', 1), kw.get('KEY_SIGNS', 1)); vB, vR = pack.pack_values(v[:, :n], K, vb, kw.get('VALUE_SIGNS', 1))
    if T < dd: kR = kR / s[:, None, None]
    pbuf = np.concatenate([kB, vB], -1)
    if dt:
        dk, dkR = pack.pack_keys(k[:, n:], dd, 2); dv, dvR = pack.pack_values(v[:, n:], 64, 2); dbuf = np.concatenate([dk, dv], -1)
    else: dbuf, dkR, dvR = np.zeros(16, np.uint8), np.zeros((H, 0, 64, dd)), np.zeros((H, 0, 64, dd))
    q = r.normal(0, 1, (H, heads, dd)).astype(np.float32) * 2
    keys = np.concatenate([kR.reshape(H, -1, dd)[:, :ptok], dkR.reshape(H, -1, dd)[:, :dtok]], 1); vals = np.concatenate([vR.reshape(H, -1, dd)[:, :ptok], dvR.reshape(H, -1, dd)[:, :dtok]], 1)
    ref = pack.reference(q, np.ones((H, dd)), keys, vals, np.ones(ptok + dtok))
    prog = dev.build(defines(fmt, HEADS=heads, WARPS=warps, T=T, K=K, **kw) + open(os.path.join(here_, "nvidia.cl")).read()); dec = dev.kernel(prog, "decode")
    P = (heads + 3) // 4; clusters = 0 if splits <= cluster else -(-splits // cluster)
    part = dev.buffer(H * P * (splits + clusters) * 4 * 130 * 4); out = dev.buffer(np.full((H, heads, dd), np.nan, np.float32)); arr = dev.buffer(np.zeros(H * P * (clusters + 1), np.uint32))
    bq, bs, bp, bd = dev.buffer(q), dev.buffer(s), dev.buffer(pbuf), dev.buffer(dbuf); u = np.uint32
    dev.set(dec, [bq, bs, bp, bd, part, arr, out, u(n), u(ptok), u(dt), u(dtok), u(splits), u(cluster)])
    es = []
    for _ in range(3):
        dev.launch(dec, (splits * 32 * warps, H * P), (32 * warps, 1)); dev.finish()
        o = dev.read(out, np.empty((H, heads, dd), np.float32)); es.append(nmse(o, ref)); dev.write(out, np.full((H, heads, dd), np.nan, np.float32))
    for b in (part, out, bq, bs, bp, bd, arr): dev.release(b)
    print(f"nv {fmt} T {T} K {K} heads {heads} packed {ptok} dense {dtok} splits {splits}/{cluster} warps {warps}: {kw} {max(es):.2e} {'' if max(es) < 4e-5 else 'BAD'}", flush=True)
