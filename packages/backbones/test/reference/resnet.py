"""Writes resnet.json: what PyTorch computes in double precision for small ResNets, whose gradients
are well-conditioned enough to agree to 1e-5. Needs torch and numpy: python resnet.py
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

CASES = [
    {"block": "basic", "blocks": [1, 2, 1, 1], "width": 8, "pictures": 4, "rows": 48, "columns": 64},
    {"block": "bottleneck", "blocks": [1, 1, 1, 1], "width": 8, "pictures": 4, "rows": 51, "columns": 66},
]


def uniform(name, count):
    """The goldens' values behind a name: mulberry32 seeded with its CRC-32."""
    u = np.uint32
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)
    state = ((steps + np.uint64(zlib.crc32(name.encode()))) & np.uint64(0xFFFFFFFF)).astype(u)
    t = (state ^ (state >> u(15))) * (state | u(1))
    t = (t + (t ^ (t >> u(7))) * (t | u(61))) ^ t
    return (t ^ (t >> u(14))).astype(np.float64) / 2**32


def named(name, shape, low=-1.0, high=1.0):
    values = low + (high - low) * uniform(name, math.prod(shape))
    return torch.from_numpy(values.astype(np.float32).reshape(shape)).double()


def bound(name, shape):
    if name.endswith("running_var"):
        return 0.5, 1.5
    if name.endswith("running_mean"):
        return -0.2, 0.2
    if len(shape) == 1:
        return (0.5, 1.5) if name.endswith("weight") else (-0.2, 0.2)
    side = math.sqrt(3 / math.prod(shape[1:]))
    return -side, side


class Block(nn.Module):
    """Torchvision's BasicBlock or Bottleneck, by the kernels of its convolutions."""

    def __init__(self, inputs, inner, outputs, stride, bottleneck):
        super().__init__()
        plan = (
            [(inputs, inner, 1, 1), (inner, inner, 3, stride), (inner, outputs, 1, 1)]
            if bottleneck
            else [(inputs, outputs, 3, stride), (outputs, outputs, 3, 1)]
        )
        self.count = len(plan)
        for i, (a, b, kernel, step) in enumerate(plan, 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = torch.relu(y)
        return torch.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self, block, blocks, width):
        super().__init__()
        bottleneck = block == "bottleneck"
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(blocks):
            inner = width * 2**stage
            outputs = inner * (4 if bottleneck else 1)
            made = []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                made.append(Block(channels, inner, outputs, stride, bottleneck))
                channels = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.outputs = channels

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return x.mean((2, 3))


def digest(x):
    values = x.detach().double().flatten()
    return {
        "shape_numel": values.numel(),
        "l2": values.norm().item(),
        "mean": values.mean().item(),
        "head": values[:4].tolist(),
        "tail": values[-4:].tolist(),
    }


def run(case, dtype):
    sizes = {key: case[key] for key in ("block", "blocks", "width")}
    prefix = f"{case['block']}."
    net = ResNet(**sizes)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                value.copy_(named(prefix + name, value.shape, *bound(name, value.shape)))
    net = net.to(dtype)
    shape = [case["pictures"], 3, case["rows"], case["columns"]]
    images = named(f"{prefix}images", shape).to(dtype).requires_grad_()
    net.eval()
    evaluated = net(images)
    net.train()
    trained = net(images)
    probe = named(f"{prefix}probe", trained.shape).to(dtype)
    (trained * probe).sum().backward()
    buffers = {n: b for n, b in net.named_buffers() if not n.endswith("num_batches_tracked")}
    return {
        "out_eval": evaluated,
        "out_train": trained,
        "grad_images": images.grad.permute(0, 2, 3, 1),
        **{f"grads {name}": p.grad for name, p in net.named_parameters()},
        **{f"buffers {name}": b.clone() for name, b in buffers.items()},
    }


def main():
    figures = []
    for case in CASES:
        exact, single = run(case, torch.float64), run(case, torch.float32)
        apart = max(
            ((exact[name] - single[name]).abs().max() / exact[name].abs().max()).item()
            for name in exact
        )
        print(f"{case['block']}: single and double precision are {apart:.1e} apart")
        table = {"grads": {}, "buffers": {}}
        for name, value in exact.items():
            group, _, key = name.partition(" ")
            if key:
                table[group][key] = digest(value)
            else:
                table[name] = digest(value)
        figures.append({**case, **table})
    Path(__file__).with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")


main()
