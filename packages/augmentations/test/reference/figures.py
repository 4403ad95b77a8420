"""
Makes figures.json: what Pillow's thumbnail and OpenCV's resize make of pictures of noise.

    pip install numpy "pillow<13" opencv-python-headless
    python packages/augmentations/test/reference/figures.py
    npx biome check --write packages/augmentations/test/reference
"""

import base64
import json
import pathlib

import cv2
import numpy as np
from PIL import Image

THUMBNAILS = [(97, 61, 24), (200, 131, 30), (131, 200, 20), (50, 40, 64), (301, 7, 20), (641, 427, 32)]
SAMPLES = [(13, 11, 20, 17), (90, 100, 29, 33), (64, 48, 32, 24), (7, 5, 31, 23), (121, 40, 33, 40)]


def noise(width, height):
    """Byte i is that of i * i * 2654435761 + i * 40503, from bit 16 on."""
    i = np.arange(3 * width * height, dtype=np.uint64)
    return ((i * i * 2654435761 + i * 40503) >> 16 & 255).astype(np.uint8).reshape(height, width, 3)


def packed(array):
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": "uint8", "shape": list(array.shape), "data": data}


def thumbnail(width, height, side):
    image = Image.fromarray(noise(width, height))
    image.thumbnail((side, side), Image.LANCZOS)
    return {"size": [width, height], "side": side, "out": packed(np.array(image))}


def sample(width, height, to_width, to_height):
    out = cv2.resize(noise(width, height), (to_width, to_height))
    return {"size": [width, height], "out": packed(out)}


figures = {
    "thumbnail": [thumbnail(*case) for case in THUMBNAILS],
    "sample": [sample(*case) for case in SAMPLES],
}
text = json.dumps(figures, indent=2)
pathlib.Path(__file__).with_name("figures.json").write_text(text + "\n")
