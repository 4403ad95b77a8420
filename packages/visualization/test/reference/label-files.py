"""
Makes label-files.json: PNG files of numbers as Pillow writes them.

    pip install numpy "pillow<13"
    python packages/visualization/test/reference/label-files.py
    npx biome check --write packages/visualization/test/reference
"""

import base64
import io
import json
import pathlib

import numpy as np
from PIL import Image


def file(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", **options)
    return base64.b64encode(buffer.getvalue()).decode()


def with_palette(most):
    image = Image.fromarray((np.arange(13 * 7) % (most + 1)).astype(np.uint8).reshape(7, 13))
    image.putpalette([value for i in range(256) for value in (i, 255 - i, i // 2)])
    return image


grey = Image.fromarray((np.arange(13 * 7) * 2).astype(np.uint8).reshape(7, 13))
files = {
    "palette8": file(with_palette(255), bits=8),
    "palette4": file(with_palette(15), bits=4),
    "palette2": file(with_palette(3), bits=2),
    "palette1": file(with_palette(1), bits=1),
    "grey": file(grey),
    "rgb": file(grey.convert("RGB")),
}
text = json.dumps(files, indent=2)
pathlib.Path(__file__).with_name("label-files.json").write_text(text + "\n")
