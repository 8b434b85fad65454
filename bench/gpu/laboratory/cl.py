"""OpenCL through ctypes: just what the lab needs."""
import ctypes as C, os, sys
import numpy as np
here = os.path.dirname(os.path.abspath(__file__))
def _load():
    for name in ("libOpenCL.so.1", os.path.join(here, "libOpenCL.so.1")):
        try: return C.CDLL(name)
        except OSError: pass
    raise SystemExit("no libOpenCL")
lib = _load()
P = C.c_void_p
for n in ("clCreateContext", "clCreateCommandQueue", "clCreateProgramWithSource", "clCreateKernel", "clCreateBuffer"): getattr(lib, n).restype = P
class Error(Exception): pass
def check(rc, what):
    if rc != 0: raise Error(f"{what}: {rc}")
def info(fn, obj, code, kind="str"):
    size = C.c_size_t()
    check(fn(P(obj), C.c_uint(code), C.c_size_t(0), None, C.byref(size)), "info")
    buf = C.create_string_buffer(size.value)
    check(fn(P(obj), C.c_uint(code), size, buf, None), "info")
    return buf.value.decode(errors="replace") if kind == "str" else int.from_bytes(buf.raw, "little")
class Device:
    def __init__(self):
        n = C.c_uint()
        check(lib.clGetPlatformIDs(C.c_uint(0), None, C.byref(n)), "clGetPlatformIDs")
        ps = (P * n.value)(); lib.clGetPlatformIDs(n, ps, None)
        found = []
        for p in ps:
            m = C.c_uint()
            if lib.clGetDeviceIDs(P(p), C.c_ulong(0xFFFFFFFF), C.c_uint(0), None, C.byref(m)): continue
            ds = (P * m.value)(); lib.clGetDeviceIDs(P(p), C.c_ulong(0xFFFFFFFF), m, ds, None)
            for d in ds: found.append((info(lib.clGetDeviceInfo, d, 0x1000, "int") & 4, d, p))
        found.sort(key=lambda x: -x[0])
        self.gpu, self.id, self.platform = bool(found[0][0]), found[0][1], found[0][2]
        self.name = info(lib.clGetDeviceInfo, self.id, 0x102B); self.driver = info(lib.clGetDeviceInfo, self.id, 0x102D)
        self.version = info(lib.clGetDeviceInfo, self.id, 0x102F)
        self.units = info(lib.clGetDeviceInfo, self.id, 0x1002, "int")
        self.local = info(lib.clGetDeviceInfo, self.id, 0x1023, "int")
        self.extensions = info(lib.clGetDeviceInfo, self.id, 0x1030)
        err = C.c_int()
        dv = (P * 1)(self.id)
        self.ctx = lib.clCreateContext(None, C.c_uint(1), dv, None, None, C.byref(err)); check(err.value, "ctx")
        self.queue = lib.clCreateCommandQueue(P(self.ctx), P(self.id), C.c_ulong(2), C.byref(err)); check(err.value, "queue")
    def buffer(self, size_or_array):
        err = C.c_int()
        if isinstance(size_or_array, np.ndarray):
            b = self.buffer(size_or_array.nbytes); self.write(b, size_or_array); return b
        b = lib.clCreateBuffer(P(self.ctx), C.c_ulong(1), C.c_size_t(size_or_array), None, C.byref(err)); check(err.value, "buffer")
        return b
    def write(self, b, a, offset=0):
        a = np.ascontiguousarray(a)
        check(lib.clEnqueueWriteBuffer(P(self.queue), P(b), C.c_uint(1), C.c_size_t(offset), C.c_size_t(a.nbytes), a.ctypes.data_as(P), C.c_uint(0), None, None), "write")
    def read(self, b, a):
        check(lib.clEnqueueReadBuffer(P(self.queue), P(b), C.c_uint(1), C.c_size_t(0), C.c_size_t(a.nbytes), a.ctypes.data_as(P), C.c_uint(0), None, None), "read"); return a
    def copy(self, src, dst, so, do, n):
        check(lib.clEnqueueCopyBuffer(P(self.queue), P(src), P(dst), C.c_size_t(so), C.c_size_t(do), C.c_size_t(n), C.c_uint(0), None, None), "copy")
    def release(self, b): lib.clReleaseMemObject(P(b))
    def finish(self): check(lib.clFinish(P(self.queue)), "finish")
    def build(self, source, options="", binary=None):
        err = C.c_int(); src = source.encode(); arr = (C.c_char_p * 1)(src)
        prog = lib.clCreateProgramWithSource(P(self.ctx), C.c_uint(1), arr, None, C.byref(err)); check(err.value, "program")
        dv = (P * 1)(self.id)
        rc = lib.clBuildProgram(P(prog), C.c_uint(1), dv, options.encode(), None, None)
        size = C.c_size_t(); lib.clGetProgramBuildInfo(P(prog), P(self.id), C.c_uint(0x1183), C.c_size_t(0), None, C.byref(size))
        buf = C.create_string_buffer(size.value + 1); lib.clGetProgramBuildInfo(P(prog), P(self.id), C.c_uint(0x1183), size, buf, None)
        self.log = buf.value.decode(errors="replace")
        if rc: raise Error(f"build {rc}:\n{self.log[:3000]}")
        if binary:
            sz = (C.c_size_t * 1)(); check(lib.clGetProgramInfo(P(prog), C.c_uint(0x1165), C.c_size_t(8), sz, None), "binsize")
            b = C.create_string_buffer(sz[0]); ptrs = (P * 1)(C.cast(b, P)); check(lib.clGetProgramInfo(P(prog), C.c_uint(0x1166), C.c_size_t(8), ptrs, None), "bin")
            open(binary, "wb").write(b.raw.rstrip(b"\0"))  # ptxas takes no zero
        return prog
    def kernel(self, prog, name):
        err = C.c_int(); k = lib.clCreateKernel(P(prog), name.encode(), C.byref(err)); check(err.value, "kernel " + name); return k
    def set(self, k, args):
        for i, a in enumerate(args): self.arg(k, i, a)
    def arg(self, k, i, a):
        if isinstance(a, np.generic): v = a.tobytes(); check(lib.clSetKernelArg(P(k), C.c_uint(i), C.c_size_t(len(v)), v), f"arg {i}")
        else: v = P(a); check(lib.clSetKernelArg(P(k), C.c_uint(i), C.c_size_t(8), C.byref(v)), f"arg {i}")
    def launch(self, k, glob, loc, event=True):
        g = (C.c_size_t * len(glob))(*glob); l = (C.c_size_t * len(loc))(*loc); ev = P()
        check(lib.clEnqueueNDRangeKernel(P(self.queue), P(k), C.c_uint(len(glob)), None, g, l, C.c_uint(0), None, C.byref(ev) if event else None), "launch")
        return ev
    def times(self, ev):
        t = []
        for code in (0x1282, 0x1283):
            v = C.c_ulong(); check(lib.clGetEventProfilingInfo(ev, C.c_uint(code), C.c_size_t(8), C.byref(v), None), "prof"); t.append(v.value)
        lib.clReleaseEvent(ev)
        return t
