"""Times PyTorch's scaled_dot_product_attention, bf16, on the shapes of GpuBenchmark: best backend, in a CUDA graph and eagerly.

Writes microseconds per decode step of one layer to the file named by the first argument.
"""
import json
import sys

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

SHAPES = {"32K": (1, 32768, 4), "131K": (1, 131072, 2), "8x32K": (8, 32768, 2)}
BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}


def median_micros(run, steps=40):
    times = []
    for _ in range(steps):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1e3)
    return sorted(times[steps // 4:])[3 * steps // 8]


def main():
    times = {}
    for name, (batch, tokens, caches) in SHAPES.items():
        query = torch.randn(batch, 32, 1, 128, device="cuda", dtype=torch.bfloat16)
        kv = [[torch.randn(batch, 8, tokens, 128, device="cuda", dtype=torch.bfloat16) for _ in range(2)]
              for _ in range(caches)]
        host = query.cpu().pin_memory()
        for backend_name, backend in BACKENDS.items():
            try:
                with sdpa_kernel(backend):
                    def all_caches():
                        for keys, values in kv:
                            F.scaled_dot_product_attention(query, keys, values, enable_gqa=True)

                    turn = [0]

                    def eager():
                        # From the query in host memory to the output in host memory, as an application would.
                        keys, values = kv[turn[0] % caches]
                        turn[0] += 1
                        own = host.to("cuda", non_blocking=True)
                        F.scaled_dot_product_attention(own, keys, values, enable_gqa=True).cpu()

                    stream = torch.cuda.Stream()
                    stream.wait_stream(torch.cuda.current_stream())
                    with torch.cuda.stream(stream):
                        all_caches()
                        all_caches()
                    torch.cuda.current_stream().wait_stream(stream)
                    graph = torch.cuda.CUDAGraph()
                    with torch.cuda.graph(graph):
                        all_caches()
                    measured = {"graph": median_micros(graph.replay) / caches, "eager": median_micros(eager)}
            except RuntimeError as failure:
                print(name, backend_name, "failed:", str(failure)[:200])
                continue
            for how, micros in measured.items():
                key = f"{name} {how}"
                times[key] = min(times.get(key, float("inf")), micros)
                print(f"SDPA {key} {backend_name}: {micros:.1f} us", flush=True)
        del kv
        torch.cuda.empty_cache()
    with open(sys.argv[1], "w") as file:
        json.dump(times, file)


if __name__ == "__main__":
    main()
