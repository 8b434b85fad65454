"""Packs tiles in the device layout (see gpu-kernels.md) and keeps what was stored, for the float64 reference."""
import numpy as np
def bf16(x):
    u = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((u + 0x7fff + (u >> 16 & 1)) >> 16).astype(np.uint16)
def unbf(b): return (b.astype(np.uint32) << 16).view(np.float32)
def stream(elements):
    """elements [..., E, 32] of an unsigned type -> bytes [..., 32*roundup4(E*N)]"""
    e = np.moveaxis(elements, -1, -2)                      # [..., 32, E]
    raw = np.ascontiguousarray(e).view(np.uint8)           # [..., 32, E*N]
    n = raw.shape[-1]; m = (n + 3) // 4 * 4
    raw = np.concatenate([raw, np.zeros(raw.shape[:-1] + (m - n,), np.uint8)], -1)
    rows, at = [], 0
    while m - at >= 16: rows.append(raw[..., at:at + 16]); at += 16
    if m - at >= 8: rows.append(raw[..., at:at + 8]); at += 8
    if m - at >= 4: rows.append(raw[..., at:at + 4]); at += 4
    return np.concatenate([np.ascontiguousarray(r).reshape(r.shape[:-2] + (-1,)) for r in rows], -1)
def pad(parts):
    b = np.concatenate(parts, -1); n = b.shape[-1]; m = (n + 127) // 128 * 128
    return np.concatenate([b, np.zeros(b.shape[:-1] + (m - n,), np.uint8)], -1)
def store(x, nb): return bf16(x) if nb != 4 else np.ascontiguousarray(x, np.float32).view(np.uint32)
def load(b, nb): return unbf(b) if nb != 4 else np.ascontiguousarray(b).view(np.float32)
def as_bytes(a): a = np.ascontiguousarray(a); return a.view(np.uint8).reshape(a.shape[:-1] + (-1,))
def quantise(e, axis):
    s = unbf(bf16(np.abs(e).max(axis, keepdims=True) / 127)); s = np.where(s == 0, 1, s)
    q = np.clip(np.rint(e / s), -127, 127)
    return q.astype(np.int8), s.astype(np.float32)
def lane_order(x, c):                                      # [..., D] -> position l*c + k of channel 32 k + l within a group
    sh = x.shape; g = sh[-1] // (32 * c)
    return np.ascontiguousarray(np.swapaxes(x.reshape(sh[:-1] + (g, c, 32)), -1, -2)).reshape(sh)
def pack_keys(k, T, nbytes=2, centered=1, sign=1, reorder=None):
    """k [H, U, 64, d] scaled keys -> bytes [H, U, keyPart], restored [H, U, 64, d] float64"""
    H, U, _, d = k.shape; D = (d + 31) // 32 * 32
    if T >= d:
        b = store(k, nbytes); e = np.moveaxis(b, 3, 2).reshape(H, U, d, 2, 32).reshape(H, U, 2 * d, 32)
        return pad([stream(e)]), load(b, nbytes).astype(np.float64)
    mu = load(store(k.mean(2, keepdims=True) * centered, nbytes), nbytes); dev = (k - mu).astype(np.float32)
    order = np.argsort(-np.abs(dev), axis=3, kind="stable")
    kept = np.sort(order[..., :T], axis=3)
    mask = np.zeros(k.shape, bool); np.put_along_axis(mask, kept, True, 3)
    a = load(store(np.sqrt(np.where(mask, 0, dev.astype(np.float64) ** 2).sum(3) / (d - T)), nbytes), nbytes)   # [H,U,64]
    plus = dev > 0; base = np.where(plus, 1, -1) * a[..., None] * sign
    e = np.take_along_axis(dev - base, kept, 3)            # [H,U,64,T]
    if nbytes != 1: code = store(e, nbytes); val = load(code, nbytes)
    else: q, s = quantise(e, 3); code = q.view(np.uint8); val = q * s
    full = np.zeros(k.shape); np.put_along_axis(full, kept, val.astype(np.float64), 3)
    if reorder: perm = reorder(kept); kept = np.take_along_axis(kept, perm, 3); code = np.take_along_axis(code, perm, 3)
    restored = mu.astype(np.float64) + base + full
    el = lambda x: np.moveaxis(x.reshape(H, U, 2, 32, T), 4, 2).reshape(H, U, 2 * T, 32)      # e = 2 s + k
    bits = np.concatenate([plus, np.zeros(plus.shape[:3] + (D - d,), bool)], 3)
    signs = np.packbits(bits, axis=3, bitorder="little").reshape(H, U, -1)
    means = store(mu, nbytes)[:, :, 0]; means = np.concatenate([means, np.zeros((H, U, D - d), means.dtype)], 2)
    parts = ([as_bytes(means)] if centered else []) + [stream(el(code)), stream(el(kept.astype(np.uint8 if d <= 256 else np.uint16)))]
    if sign: parts += [signs, as_bytes(lane_order(store(a, nbytes), 2))]
    if nbytes == 1: parts.append(as_bytes(lane_order(bf16(s[..., 0]), 2)))
    return pad(parts), restored
def columns(D): return 4 if D % 128 == 0 else 2 if D % 64 == 0 else 1
def pack_values(v, K, nbytes=2, sign=1, reorder=None):
    H, U, _, d = v.shape; D = (d + 31) // 32 * 32; c = columns(D)
    v = np.concatenate([v, np.zeros((H, U, 64, D - d), v.dtype)], 3).astype(np.float32)
    grp = lambda x: np.moveaxis(x.reshape(H, U, x.shape[2], D // (32 * c), c, 32), 3, 2)      # [H,U,g,S,c,32]
    def streams(x):
        g = grp(x); return np.concatenate([stream(np.ascontiguousarray(g[:, :, i]).reshape(H, U, -1, 32)) for i in range(g.shape[2])], -1)
    if K >= 64: b = store(v, nbytes); return pad([streams(b)]), load(b, nbytes).astype(np.float64)[..., :d]
    order = np.argsort(-np.abs(v), axis=2, kind="stable"); kept = np.sort(order[:, :, :K], axis=2)
    mask = np.zeros(v.shape, bool); np.put_along_axis(mask, kept, True, 2)
    b = load(store(np.where(mask, 0, np.abs(v)).sum(2, keepdims=True) / (64 - K), nbytes), nbytes)
    plus = v > 0; base = np.where(plus, 1, -1) * b * sign
    e = np.take_along_axis(v - base, kept, 2)
    if nbytes != 1: code = store(e, nbytes); val = load(code, nbytes)
    else: q, s = quantise(e, 2); code = q.view(np.uint8); val = q * s
    full = np.zeros(v.shape); np.put_along_axis(full, kept, val.astype(np.float64), 2)
    if reorder: perm = reorder(kept); kept = np.take_along_axis(kept, perm, 2); code = np.take_along_axis(code, perm, 2)
    p = np.moveaxis(plus, 2, 3)                            # [H,U,D,64]
    p = np.concatenate([p[..., 0:16], p[..., 32:48], p[..., 16:32], p[..., 48:64]], -1)
    signs = np.packbits(p, axis=3, bitorder="little").reshape(H, U, -1)
    parts = [streams(code), streams(kept.astype(np.uint8))]
    if sign: parts += [signs, as_bytes(lane_order(store(b[:, :, 0], nbytes), c))]
    if nbytes == 1: parts.append(as_bytes(lane_order(bf16(s[:, :, 0]), c)))
    return pad(parts), (base + full)[..., :d]
def reference(q, scales, keys, values, counts):
    """q [H,G,d], scales [H,d], keys/values [H,tokens,d] restored (scaled keys), counts [tokens] -> [H,G,d] float64"""
    d = q.shape[2]
    u = q.astype(np.float64) / scales[:, None, :].astype(np.float64) / np.sqrt(d)
    s = np.einsum("hgd,htd->hgt", u, keys); s -= s.max(2, keepdims=True)
    w = np.exp(s) * counts; w /= w.sum(2, keepdims=True)
    return np.einsum("hgt,htd->hgd", w, values)
