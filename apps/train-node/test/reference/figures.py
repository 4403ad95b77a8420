"""
Makes figures.json: what evaluations of a small Vision Transformer give on pictures that are made by
a rule, with PyTorch, Pillow, OpenCV and scikit-image alone. The weights are made from their names
by the rule of the goldens' README. Pillow 13 resizes in another order, and rounds otherwise.

    pip install numpy torch "pillow<13" opencv-python-headless scikit-image
    python apps/train-node/test/reference/figures.py
    npx biome check --write apps/train-node/test/reference
"""

import base64
import functools
import json
import pathlib
import pickle
import zlib

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from skimage.morphology import disk

# The model --------------------------------------------------------------------------------------

DIM, DEPTH, HEADS, PATCH, SIDE = 24, 2, 3, 8, 32


def named(name, *shape, low=-1.0, high=1.0):
    state = zlib.crc32(name.encode())
    values = np.empty(int(np.prod(shape)))
    for i in range(len(values)):
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ state >> 15) * (state | 1)) & 0xFFFFFFFF
        t = ((t + ((t ^ t >> 7) * (t | 61) & 0xFFFFFFFF)) ^ t) & 0xFFFFFFFF
        values[i] = (t ^ t >> 14) / 2**32
    return torch.from_numpy(np.float32(low + (high - low) * values).reshape(shape))


@functools.cache
def weight(name, *shape):
    if name in ("cls_token", "pos_embed"):
        bound = 0.5
    elif len(shape) == 1:
        if name.endswith("weight"):
            return named("tiny." + name, *shape, low=0.5, high=1.5)
        bound = 0.2
    else:
        bound = (3 / np.prod(shape[1:])) ** 0.5
    return named("tiny." + name, *shape, low=-bound, high=bound)


def norm(x, name):
    return F.layer_norm(x, (DIM,), weight(name + ".weight", DIM), weight(name + ".bias", DIM), 1e-6)


def linear(x, name, outputs):
    return F.linear(x, weight(name + ".weight", outputs, x.shape[-1]), weight(name + ".bias", outputs))


def positions(rows, columns, is_square):
    """Bicubic, by a scale that is a little more than what is needed, as the reference has it."""
    grid = SIDE // PATCH
    learned = weight("pos_embed", 1, 1 + grid * grid, DIM)
    if rows * columns == grid * grid and is_square:
        return learned
    square = learned[:, 1:].reshape(1, grid, grid, DIM).permute(0, 3, 1, 2)
    scale = ((rows + 0.1) / grid, (columns + 0.1) / grid)
    square = F.interpolate(square, scale_factor=scale, mode="bicubic")
    assert square.shape[-2:] == (rows, columns)
    return torch.cat([learned[:, :1], square.permute(0, 2, 3, 1).reshape(1, -1, DIM)], 1)


def tokens(x):
    """All tokens after the last norm, of pictures [n, 3, rows, columns]."""
    is_square = x.shape[2] == x.shape[3]
    x = F.conv2d(x, weight("patch_embed.proj.weight", DIM, 3, PATCH, PATCH),
                 weight("patch_embed.proj.bias", DIM), stride=PATCH)
    n, _, rows, columns = x.shape
    x = torch.cat([weight("cls_token", 1, 1, DIM).expand(n, -1, -1), x.flatten(2).transpose(1, 2)], 1)
    x = x + positions(rows, columns, is_square)
    for i in range(DEPTH):
        at = f"blocks.{i}."
        qkv = linear(norm(x, at + "norm1"), at + "attn.qkv", 3 * DIM)
        q, k, v = qkv.reshape(n, -1, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.softmax(q @ k.transpose(-2, -1) * (DIM // HEADS) ** -0.5, -1) @ v
        x = x + linear(mixed.transpose(1, 2).reshape(n, -1, DIM), at + "attn.proj", DIM)
        hidden = F.gelu(linear(norm(x, at + "norm2"), at + "mlp.fc1", 4 * DIM))
        x = x + linear(hidden, at + "mlp.fc2", DIM)
    return norm(x, "norm")


def to_tensor(array, std=(0.229, 0.224, 0.225)):
    x = torch.from_numpy(np.array(array)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor((0.485, 0.456, 0.406)), torch.tensor(std)
    return ((x - mean[:, None, None]) / std[:, None, None])[None]


# Pictures ---------------------------------------------------------------------------------------


def picture(width, height, scene, turn):
    """Waves whose lengths and colours are the scene's; `turn` shifts and roughens them."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    wave = (x * (3 + scene % 5) + y * (2 + scene % 7) * (1 + c) + 5 * turn + 40 * c * scene) % 97
    rough = (x * x * 7 + y * 13 * x + y * y * 3 + c * 5 + 31 * turn) % (11 + 5 * turn)
    return ((wave * 2 + rough) % 256).astype(np.uint8)


def area(ranks, positives):
    total = 0.0
    for j, rank in enumerate(ranks):
        before = 1.0 if rank == 0 else j / rank
        total += (before + (j + 1) / (rank + 1)) / 2 / positives
    return total


# Retrieval --------------------------------------------------------------------------------------

BUILDINGS, VIEWS = 6, 5


def size_of(i):
    return 70 + 13 * (i % 4), 52 + 9 * (i % 5)


def retrieval(multiscale, side):
    """Five views of each of six buildings; the first view of each is the query."""

    def feature(image):
        image = Image.fromarray(image)
        image.thumbnail((side, side), Image.LANCZOS)
        x = to_tensor(image)
        if not multiscale:
            return tokens(x)[0, 0]
        scales = [x] + [
            F.interpolate(x, scale_factor=s, mode="bilinear", align_corners=False)
            for s in (1 / 2**0.5, 1 / 2)
        ]
        return sum(tokens(s)[0, 0] for s in scales) / 3

    def view(building, turn):
        return feature(picture(*size_of(building * VIEWS + turn), building, turn))

    queries = F.normalize(torch.stack([view(b, 0) for b in range(BUILDINGS)]), dim=1)
    names = [(b, t) for b in range(BUILDINGS) for t in range(1, VIEWS)]
    rows = F.normalize(torch.stack([view(*name) for name in names]), dim=1)
    order = torch.argsort(queries @ rows.T, dim=1, descending=True, stable=True)
    result = {}
    for protocol, right, junk in [
        ("easy", (1, 2), (4, 3)),
        ("medium", (1, 2, 3), (4,)),
        ("hard", (3,), (4, 1, 2)),
    ]:
        aps, precisions = [], []
        for query in range(BUILDINGS):
            found = [names[j] for j in order[query]]
            kept = [name for name in found if not (name[0] == query and name[1] in junk)]
            ranks = [r for r, (b, t) in enumerate(kept) if b == query and t in right]
            aps.append(area(ranks, len(right)))
            depths = [min(ranks[-1] + 1, k) for k in (1, 5, 10)]
            precisions.append([sum(r < d for r in ranks) / d for d in depths])
        result[protocol] = {
            "map": 100 * np.mean(aps),
            "precision": (100 * np.mean(precisions, 0)).tolist(),
        }
    return result


def ground_truth(listed, protocol):
    """What the authors of revisited Oxford and Paris publish, in lists or in arrays."""
    order = [f"b{b}v{t}" for b in range(BUILDINGS) for t in range(1, VIEWS)]
    entry = lambda b: {
        "bbx": listed([10.4, 5.6, 50.0, 40.2]),
        "easy": listed([order.index(f"b{b}v1"), order.index(f"b{b}v2")]),
        "hard": listed([order.index(f"b{b}v3")]),
        "junk": listed([order.index(f"b{b}v4")]),
    }
    truth = {
        "imlist": order,
        "qimlist": [f"b{b}v0" for b in range(BUILDINGS)],
        "gnd": [entry(b) for b in range(BUILDINGS)],
    }
    return base64.b64encode(pickle.dumps(truth, protocol)).decode()


# Copy detection ---------------------------------------------------------------------------------

ORIGINALS, DISTRACTORS, OTHERS = 8, 12, 30


def copy_detection(side, whitened):
    def feature(image):
        x = to_tensor(Image.fromarray(image).resize((side, side), Image.BICUBIC))
        all_tokens = tokens(x)[0]
        gem = all_tokens[1:].clamp(min=1e-6).pow(4).mean(0).pow(1 / 4)
        return torch.cat([all_tokens[0], gem]).double().numpy()

    originals = np.stack([feature(picture(64, 48, s, 0)) for s in range(ORIGINALS)])
    distractors = np.stack([feature(picture(60, 60, 20 + s, 1)) for s in range(DISTRACTORS)])
    others = np.stack([feature(picture(50, 70, 40 + s, s % 3)) for s in range(OTHERS)])
    blocks = {
        "original": (originals, list(range(ORIGINALS))),
        # Two strong copies of each original.
        "strong": (
            np.stack([feature(picture(64, 48, i // 2, 1 + 2 * (i % 2))) for i in range(2 * ORIGINALS)]),
            [i // 2 for i in range(2 * ORIGINALS)],
        ),
        # The middle of each original.
        "crops/50": (
            np.stack([feature(picture(64, 48, s, 0)[12:36, 16:48]) for s in range(ORIGINALS)]),
            list(range(ORIGINALS)),
        ),
    }
    database = np.concatenate([originals, distractors])
    change = lambda x: x
    if whitened:
        mean = others.mean(0)
        values, vectors = np.linalg.eigh(others.T @ others / len(others))
        matrix = np.diag(np.maximum(values, 1e-5 * values.max()) ** -0.5) @ vectors.T
        change = lambda x: (x - mean) @ matrix.T
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    result = {}
    for name, (queries, right) in blocks.items():
        similarity = unit(change(queries)) @ unit(change(database)).T
        order = np.argsort(-similarity, axis=1, kind="stable")[:, :20]
        aps = [area([r for r, j in enumerate(order[i]) if j == right[i]], 1) for i in range(len(right))]
        found = [(similarity[i, j], right[i] == j) for i in range(len(right)) for j in order[i]]
        found.sort(key=lambda pair: -pair[0])
        places = [place for place, (_, ok) in enumerate(found) if ok]
        micro = sum((n + 1) / (place + 1) for n, place in enumerate(places)) / len(right)
        result[name] = {"map": 100 * np.mean(aps), "micro": 100 * micro}
    return result


# Video segmentation -----------------------------------------------------------------------------

WIDTH, HEIGHT, FRAMES, SHORT = 150, 80, 6, 64
LONG = int(SHORT * WIDTH / HEIGHT // 64 * 64)
REACH, TOP, LAST = 2, 3, 2


def objects(t):
    """A disc that moves to the right, and a box that moves up."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[(x - 40 - 5 * t) * (x - 40 - 5 * t) + (y - 40) * (y - 40) < 400] = 1
    labels[(abs(x - 110) < 18) & (abs(y - 50 + 4 * t) < 16)] = 2
    return labels


def frame(t):
    labels = objects(t)
    return np.where((labels == 0)[..., None], picture(WIDTH, HEIGHT, 0, t),
                    np.where((labels == 1)[..., None], picture(WIDTH, HEIGHT, 1, t), picture(WIDTH, HEIGHT, 4, t)))


def propagate(target, sources, labels, rows, columns):
    place = torch.arange(rows * columns)
    near = (place[:, None] // columns - place // columns).abs() <= REACH
    near &= (place[:, None] % columns - place % columns).abs() <= REACH
    affinity = torch.cat([torch.exp(s @ target.T / 0.1) * near for s in sources])
    least = torch.topk(affinity, TOP, dim=0).values[-1]
    affinity = torch.where(affinity < least, 0, affinity)
    return torch.cat(labels, 1) @ (affinity / affinity.sum(0))


def boundaries(mask):
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])


def f_measure(found, truth):
    near = disk(np.ceil(0.008 * np.linalg.norm(found.shape))).astype(np.uint8)
    ours, theirs = boundaries(found), boundaries(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = (ours & (cv2.dilate(theirs.astype(np.uint8), near) > 0)).sum() / ours.sum()
    recall = (theirs & (cv2.dilate(ours.astype(np.uint8), near) > 0)).sum() / theirs.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def statistics(values):
    values = np.array(values)
    ids = (np.round(np.linspace(1, len(values), 5) + 1e-10) - 1).astype(int)
    parts = [values[ids[i] : ids[i + 1] + 1] for i in range(4)]
    return {
        "mean": 100 * values.mean(),
        "recall": 100 * (values > 0.5).mean(),
        "decay": 100 * (parts[0].mean() - parts[3].mean()),
    }


def video_segmentation():
    rows, columns = SHORT // PATCH, LONG // PATCH
    features = []
    for t in range(FRAMES):
        x = to_tensor(cv2.resize(frame(t), (LONG, SHORT)), std=(0.228, 0.224, 0.225))
        features.append(F.normalize(tokens(x)[0, 1:], dim=1))
    small = np.array(Image.fromarray(objects(0)).resize((columns, rows), Image.NEAREST))
    first = F.one_hot(torch.from_numpy(small.astype(np.int64)).flatten(), 3).float().T
    queue, found = [], [objects(0)]
    for t in range(1, FRAMES):
        sources = [features[0]] + [f for f, _ in queue]
        soft = propagate(features[t], sources, [first] + [l for _, l in queue], rows, columns)
        queue = (queue + [(features[t], soft)])[-LAST:]
        pixels = F.interpolate(soft.reshape(1, 3, rows, columns), scale_factor=PATCH,
                               mode="bilinear", align_corners=False)[0]
        for i, channel in enumerate(pixels):
            if channel.max() > 0:
                channel = channel - channel.min()
                pixels[i] = channel / channel.max()
        hard = Image.fromarray(pixels.argmax(0).numpy().astype(np.uint8))
        found.append(np.array(hard.resize((WIDTH, HEIGHT), Image.NEAREST)))
    result = []
    for i in (1, 2):
        pairs = [(found[t] == i, objects(t) == i) for t in range(1, FRAMES - 1)]
        region = statistics([(a & b).sum() / (a | b).sum() for a, b in pairs])
        boundary = statistics([f_measure(a, b) for a, b in pairs])
        result.append({"mean": (region["mean"] + boundary["mean"]) / 2, "region": region, "boundary": boundary})
    counts = [[int((labels == i).sum()) for i in (1, 2)] for labels in found]
    return {"objects": result, "pixels": counts}


figures = {
    "picture": int(np.sum(picture(31, 17, 5, 2).astype(int) * (np.arange(3 * 31 * 17) % 97).reshape(17, 31, 3))),
    "feature": tokens(to_tensor(picture(32, 32, 1, 0)))[0, 0].tolist(),
    "retrieval": retrieval(False, 56),
    "multiscale": retrieval(True, 56),
    "pickles": [ground_truth(list, 2), ground_truth(np.array, 2), ground_truth(np.array, 5)],
    "copyDetection": copy_detection(40, False),
    "whitened": copy_detection(40, True),
    "video": video_segmentation(),
}
text = json.dumps(figures, indent=2)
pathlib.Path(__file__).with_name("figures.json").write_text(text + "\n")
