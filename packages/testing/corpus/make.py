"""Makes the files of this folder, with PyTorch, safetensors, numpy and Pillow: python make.py

They are what readers are tested with, and the seeds that the fuzzer changes. Each is small, and has
as many of its format's features as fit.
"""

import argparse
import collections
import os
import pathlib
import pickle

import numpy as np
import safetensors.numpy
import torch
from PIL import Image

os.chdir(pathlib.Path(__file__).parent)
for folder in ("pth", "pickle", "safetensors", "npy", "images"):
    os.makedirs(folder, exist_ok=True)

block = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
everything = {
    "contiguous": block,
    "permuted": block.permute(2, 0, 1),
    "part": block[:, 1:, ::2],
    "second": block[1],
    "expanded": torch.ones(1, 3).expand(5, 3),
    "scalar": torch.tensor(3.5),
    "empty": torch.empty(0, 3),
    "parameter": torch.nn.Parameter(torch.full((2, 2), 0.5)),
    "storage": torch.arange(3.0).storage(),
    **{
        str(dtype).removeprefix("torch."): torch.arange(4).to(dtype)
        for dtype in (
            torch.float64,
            torch.float16,
            torch.bfloat16,
            torch.int64,
            torch.int32,
            torch.int16,
            torch.int8,
            torch.uint64,
            torch.uint32,
            torch.uint16,
            torch.uint8,
            torch.bool,
        )
    },
    "half_permuted": block.half().permute(1, 0, 2),
    "bool_permuted": (block > 3).transpose(0, 2),
    "numpy": {
        "rows": np.arange(6, dtype=np.float32).reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
        "scalar": np.float64(1.5),
        "integer": np.int64(7),
        "boolean": np.bool_(True),
    },
    "ordered": collections.OrderedDict(a=torch.ones(1), b="text"),
    "steps": {0: torch.zeros(1), 1: "one"},
    "list": [torch.ones(1), 2],
    "size": torch.Size([1, 2]),
    "device": torch.device("cuda", 0),
    "dtype": torch.float16,
    "args": argparse.Namespace(
        arch="vit_small",
        lr=0.0005,
        scale=(0.4, 1.0),
        seed=None,
        fp16=True,
        output=pathlib.PurePosixPath("/checkpoint/runs"),
        nested=argparse.Namespace(path=pathlib.PurePosixPath("a/b")),
    ),
    "integers": [0, 255, 65535, -1, 2**40, -(2**63), 2**70],
    "floats": [0.1, float("inf"), float("-inf")],
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"ab"),
    "text": "é€😀",
    "set": {7},
    "frozen": frozenset(["a"]),
    "default": collections.defaultdict(list, {"x": [1]}),
    "counter": collections.Counter("aab"),
    "deque": collections.deque([1, 2], maxlen=3),
    "complex": 1 + 2j,
    "slice": slice(1, None, 2),
    "tuple": (1, (2, 3)),
}
everything["shared"] = everything["tuple"]

for protocol in (2, 3, 4, 5):
    torch.save(everything, f"pth/zip-{protocol}.pth", pickle_protocol=protocol)
    torch.save(
        everything,
        f"pth/legacy-{protocol}.pth",
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=False,
    )

torch.manual_seed(0)
model = torch.nn.Linear(2, 2)
optimizer = torch.optim.AdamW(model.parameters())
model(torch.ones(1, 2)).sum().backward()
optimizer.step()
tagged = torch.nn.Parameter(torch.ones(3))
tagged.note = "an attribute"
torch.save(
    {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": torch.amp.GradScaler("cpu").state_dict(),
        "tagged": tagged,
    },
    "pth/training.pth",
)


class Unknown:
    pass


conjugate = torch.ones(2).to(torch.complex64).conj()
scripted = torch.jit.script(torch.nn.Linear(2, 2))
torch.jit.save(scripted, "pth/refused-script.pth")
for name, value in {
    "complex": torch.ones(2, dtype=torch.complex64),
    "conjugate": conjugate,
    "float8": torch.ones(2).to(torch.float8_e4m3fn),
    "negative": torch._neg_view(torch.ones(2)),
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.ones(2, device="meta"),
    "module": torch.nn.Linear(2, 2),
    "class": Unknown(),
}.items():
    torch.save({"x": value}, f"pth/refused-{name}.pth")

arrays = {
    "text": np.array(["ab", "c€😀"]),
    "bytes": np.array([b"x", b"yz"]),
    "objects": np.array([[1, "a"], [None, [2]]], dtype=object),
    "grid": np.array([["a", "b", "c"], ["d", "e", "f"]]),
    "nothing": np.zeros((0, 2), dtype="U3"),
    "zero_axes": np.array(5),
    "integers": np.arange(4),
    "halves": np.arange(3, dtype=np.float16),
    "scalar": np.str_("hey"),
    "dtype": np.dtype("f4"),
}
for protocol in (2, 3, 4, 5):
    with open(f"pickle/numpy-{protocol}.pkl", "wb") as file:
        pickle.dump(arrays, file, protocol=protocol)
with open("pickle/refused-big-endian.pkl", "wb") as file:
    pickle.dump(np.arange(3, dtype=">f4"), file, protocol=4)
with open("pickle/refused-fields.pkl", "wb") as file:
    pickle.dump(np.zeros(2, dtype=[("a", "f4")]), file, protocol=4)

safetensors.numpy.save_file(
    {
        "layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "layer.bias": np.arange(3, dtype=np.float16),
        "steps": np.array([3], dtype=np.int64),
        "mask": np.array([True, False]),
        "empty": np.zeros((0, 3), dtype=np.float64),
    },
    "safetensors/small.safetensors",
    metadata={"format": "np"},
)

for name, array in {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "int64": np.arange(5),
    "scalar": np.array(2.5),
    "bytes": np.zeros((2, 0, 3), dtype=np.uint8),
}.items():
    np.save(f"npy/{name}.npy", array)

ramp = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
picture = Image.fromarray(ramp)
picture.save("images/rgb.png")
picture.convert("P").save("images/palette.png")
picture.convert("L").save("images/grey.jpg")
picture.save("images/rgb.jpg", quality=80)
picture.convert("CMYK").save("images/cmyk.jpg")
picture.save("images/rgb.webp")
picture.save("images/rgb.gif")
picture.save("images/rgb.tiff", compression="tiff_lzw")
picture.save("images/rgb.bmp")
