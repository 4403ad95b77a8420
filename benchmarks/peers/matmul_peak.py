"""The most that PyTorch's product of square matrices reaches, as one line of JSON, {"gflops"}.

The yardstick of train-step.mjs where nothing measures the processor's own peak.
Arguments: fp32 or bf16, seconds, threads (0 for PyTorch's choice).
"""

import json
import sys
import time

import torch

precision, seconds, threads = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
if threads:
    torch.set_num_threads(threads)
dtype = torch.bfloat16 if precision == "bf16" else torch.float32
best = 0.0
end = time.perf_counter() + seconds
# Where the processor lacks bf16 a large product takes minutes: the sizes are tried as time allows.
for share, size in ((0.1, 512), (0.4, 1024), (1.0, 2048)):
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    out = torch.empty(size, size, dtype=dtype)
    while time.perf_counter() < end - (1 - share) * seconds:
        started = time.perf_counter()
        torch.mm(a, b, out=out)
        best = max(best, 2 * size**3 / (time.perf_counter() - started) / 1e9)
print(json.dumps({"gflops": best}))
