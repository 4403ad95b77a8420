"""
Makes figures.json: what retrieval, copy detection and video segmentation give on small inputs,
said as plainly as numpy, PyTorch, Pillow, OpenCV and scikit-image can say it, and apart from the
TypeScript that is tested against them.

    pip install numpy torch "pillow<13" opencv-python-headless scikit-image
    python packages/evaluation/test/reference/figures.py
    npx biome check --write packages/evaluation/test/reference
"""

import base64
import json
import pathlib

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from named import named, uniform
from PIL import Image
from skimage.morphology import disk


def packed(values, dtype="float64"):
    """An array as the goldens have it."""
    array = np.ascontiguousarray(values, dtype)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def area(ranks, positives):
    """Average precision by trapezoids, ranks from 0."""
    total = 0.0
    for j, rank in enumerate(ranks):
        before = 1.0 if rank == 0 else j / rank
        total += (before + (j + 1) / (rank + 1)) / 2 / positives
    return total


# Retrieval -------------------------------------------------------------------------------------


def retrieval():
    rows, queries = named("retrieval.rows", 40, 6), named("retrieval.queries", 5, 6)
    similarity = unit(queries.astype(np.float64)) @ unit(rows.astype(np.float64)).T
    draws = np.abs(uniform("retrieval.truth", 5 * 40).reshape(5, 40) - 0.3 * similarity)
    truth = [
        {
            "easy": [j for j in range(40) if draws[i, j] < 0.1],
            "hard": [j for j in range(40) if 0.1 <= draws[i, j] < 0.25],
            "junk": [j for j in range(40) if 0.25 <= draws[i, j] < 0.4],
        }
        for i in range(5)
    ]
    truth[3]["easy"] = []
    truth[4] = {"easy": [], "hard": [], "junk": [1, 2]}
    protocols = {
        "easy": lambda t: (t["easy"], t["junk"] + t["hard"]),
        "medium": lambda t: (t["easy"] + t["hard"], t["junk"]),
        "hard": lambda t: (t["hard"], t["junk"] + t["easy"]),
    }
    scores = {}
    for name, split in protocols.items():
        aps, precisions = [], []
        for i, t in enumerate(truth):
            positives, junk = split(t)
            if not positives:
                continue
            kept = [j for j in np.argsort(-similarity[i], kind="stable") if j not in junk]
            ranks = [place for place, j in enumerate(kept) if j in positives]
            aps.append(area(ranks, len(positives)))
            depths = [min(ranks[-1] + 1, k) for k in (1, 5, 10)]
            precisions.append([sum(r < depth for r in ranks) / depth for depth in depths])
        scores[name] = {
            "map": 100 * np.mean(aps),
            "precision": (100 * np.mean(precisions, axis=0)).tolist(),
        }
    return {"truth": truth, "scores": scores}


def multi_scale():
    """A backbone that is a sum of the pixels by wave over their places, seen in three sizes."""

    def forward(x):
        _, _, rows, columns = x.shape
        y, z = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        waves = torch.stack([torch.cos(0.3 * y + 0.2 * z), torch.sin(0.1 * y * z)]).float()
        return torch.einsum("bcyx,wyx->bcw", x, waves).flatten(1) / (rows * columns)

    images = torch.from_numpy(named("multi-scale.images", 2, 3, 23, 18))
    total = forward(images)
    for scale in (1 / 2**0.5, 1 / 2):
        smaller = F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=False)
        total = total + forward(smaller)
    return packed(F.normalize(total, dim=1))


# Copy detection --------------------------------------------------------------------------------


def copy_detection():
    dim = 8
    originals = named("copies.originals", 12, dim) + np.float32(0.5)
    distractors = named("copies.distractors", 30, dim) + np.float32(0.5)
    others = named("copies.others", 50, dim) + np.float32(0.5)
    copies = originals + 1.1 * named("copies.noise", 12, dim)
    database = np.concatenate([originals, distractors])

    def scores(database, queries, k=20):
        similarity = unit(queries.astype(np.float64)) @ unit(database.astype(np.float64)).T
        order = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
        aps = [area([r for r, j in enumerate(order[i]) if j == i], 1) for i in range(len(queries))]
        found = [(similarity[i, j], i == j) for i in range(len(queries)) for j in order[i]]
        found.sort(key=lambda pair: -pair[0])
        right = [place for place, (_, ok) in enumerate(found) if ok]
        micro = sum((n + 1) / (place + 1) for n, place in enumerate(right)) / len(queries)
        return {"map": 100 * np.mean(aps), "micro": 100 * micro}

    def whitened(centered):
        mean = others.mean(0, dtype=np.float64)
        rows = others - mean if centered else others.astype(np.float64)
        values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
        values = np.maximum(values, 1e-5 * values.max())
        matrix = np.diag(values**-0.5) @ vectors.T
        return (database - mean) @ matrix.T, (copies - mean) @ matrix.T

    tokens = torch.from_numpy(named("copies.tokens", 2, 7, 5))
    patches = tokens[:, 1:].clamp(min=1e-6)
    descriptor = torch.cat([tokens[:, 0], patches.pow(4).mean(1).pow(1 / 4)], 1)
    return {
        "plain": scores(database, copies),
        "whitened": scores(*whitened(False)),
        "centered": scores(*whitened(True)),
        "three": scores(database, copies, k=3),
        "similarity": packed(unit(whitened(False)[1]) @ unit(whitened(False)[0]).T),
        "descriptor": packed(descriptor),
    }


# Video segmentation ----------------------------------------------------------------------------

ROWS, COLUMNS, DIM, PATCH = 5, 7, 6, 4


def propagate(target, features, labels, reach, top, temperature):
    """Dense: every patch of the target with every patch of every source."""
    affinity = []
    for source in features:
        weights = torch.exp(F.normalize(source, dim=1) @ F.normalize(target, dim=1).T / temperature)
        if reach > 0:
            place = torch.arange(ROWS * COLUMNS)
            row, column = place // COLUMNS, place % COLUMNS
            near = (row[:, None] - row[None]).abs() <= reach
            near &= (column[:, None] - column[None]).abs() <= reach
            weights = weights * near
        affinity.append(weights)
    affinity = torch.cat(affinity)
    least = torch.topk(affinity, top, dim=0).values[-1]
    affinity = torch.where(affinity < least, 0, affinity)
    affinity = affinity / affinity.sum(0)
    return torch.cat(labels, 1) @ affinity


def to_pixels(labels):
    grid = labels.reshape(1, -1, ROWS, COLUMNS)
    pixels = F.interpolate(grid, scale_factor=PATCH, mode="bilinear", align_corners=False)[0]
    for i, channel in enumerate(pixels):
        if channel.max() > 0:
            channel = channel - channel.min()
            pixels[i] = channel / channel.max()
    return pixels.argmax(0).numpy().astype(np.uint8)


def first_labels():
    """Two objects on a frame of 30 x 22 pixels, the second in part void."""
    y, x = np.mgrid[0:22, 0:30]
    labels = np.zeros((22, 30), np.uint8)
    labels[(y - 8) ** 2 + (x - 9) ** 2 < 30] = 1
    labels[(abs(y - 14) < 6) & (abs(x - 21) < 5)] = 2
    return labels


def video():
    """A video of seven frames, whose features drift, followed with three latest frames."""
    frames = [named("video.base", ROWS * COLUMNS, DIM)]
    for i in range(1, 7):
        frames.append(np.float32(frames[-1] + 0.5 * named(f"video.drift{i}", ROWS * COLUMNS, DIM)))
    frames = [torch.from_numpy(frame) for frame in frames]
    small = np.array(Image.fromarray(first_labels()).resize((COLUMNS, ROWS), Image.NEAREST))
    first = F.one_hot(torch.from_numpy(small.astype(np.int64)).flatten(), 3).float().T
    queue, soft, hard = [], [], []
    for frame in frames[1:]:
        features = [frames[0]] + [feature for feature, _ in queue]
        labels = [first] + [label for _, label in queue]
        found = propagate(frame, features, labels, 2, 4, 0.1)
        queue = (queue + [(frame, found)])[-3:]
        soft.append(found.numpy())
        image = Image.fromarray(to_pixels(found)).resize((30, 22), Image.NEAREST)
        hard.append(np.array(image))
    return {"soft": packed(soft, "float32"), "labels": packed(hard, "uint8")}


def boundaries(mask):
    """Pixels that differ from the one right, below, or between these."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, between = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return (mask != right) | (mask != below) | (mask != between)


def f_measure(found, truth):
    radius = np.ceil(0.008 * np.linalg.norm(found.shape))
    ours, theirs = boundaries(found), boundaries(truth)
    near_ours = cv2.dilate(ours.astype(np.uint8), disk(radius).astype(np.uint8)) > 0
    near_theirs = cv2.dilate(theirs.astype(np.uint8), disk(radius).astype(np.uint8)) > 0
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = (ours & near_theirs).sum() / ours.sum()
    recall = (theirs & near_ours).sum() / theirs.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def j_measure(found, truth):
    union = (found | truth).sum()
    return 1.0 if union == 0 else (found & truth).sum() / union


def statistics(values):
    values = np.array(values)
    ids = (np.round(np.linspace(1, len(values), 5) + 1e-10) - 1).astype(int)
    parts = [values[ids[i] : ids[i + 1] + 1] for i in range(4)]
    return [
        100 * values.mean(),
        100 * (values > 0.5).mean(),
        100 * (parts[0].mean() - parts[3].mean()),
    ]


def blobs(name, frames, width, height):
    """Three ellipses that wander, the first in part hidden, and a strip that is void."""
    draws = named(name, frames, 3, 4, low=0.0).astype(np.float64)
    y, x = np.mgrid[0:height, 0:width]
    maps = []
    for t in range(frames):
        labels = np.zeros((height, width), np.uint8)
        for i in range(3):
            a, b, c, d = draws[t, i]
            cx = width * (0.25 + 0.2 * i) + 0.7 * t + 14 * a
            cy = height * (0.3 + 0.15 * i) + 10 * b
            size = width / (9 - i) * (width / (9 - i)) * (0.7 + 0.5 * c)
            labels[(x - cx) * (x - cx) + (1 + d) * ((y - cy) * (y - cy)) < size] = i + 1
        maps.append(labels)
    return maps


def measures():
    width, height, frames = 160, 90, 11
    truth = blobs("measures.truth", frames, width, height)
    found = blobs("measures.found", frames, width, height)
    truth[4][truth[4] == 3] = 0
    found[4][found[4] == 3] = 0  # gone in both
    truth[5][truth[5] == 2] = 0  # gone in the truth alone
    found[6][found[6] == 1] = 0  # not found
    for t in range(frames):
        truth[t][:, 40 + t : 46 + t] = 255 if t > 0 else 0
    objects = []
    for i in (1, 2, 3):
        regions, contours = [], []
        for ours, real in zip(found[1:-1], truth[1:-1]):
            known = real != 255
            pair = ((ours == i) & known, (real == i) & known)
            regions.append(j_measure(*pair))
            contours.append(f_measure(*pair))
        objects.append({"region": statistics(regions), "boundary": statistics(contours)})
    return {"objects": objects, "sums": [[int(m.sum()) for m in maps] for maps in (truth, found)]}


def nearest():
    """Sizes whose quotient does not round well."""
    labels = (np.arange(61 * 47) % 251).astype(np.uint8).reshape(47, 61)
    sizes = [(23, 31), (97, 90), (61, 13), (7, 47)]
    resized = [np.array(Image.fromarray(labels).resize(size, Image.NEAREST)) for size in sizes]
    return [packed(labels, "uint8") for labels in resized]


figures = {
    "retrieval": retrieval(),
    "multiScale": multi_scale(),
    "copyDetection": copy_detection(),
    "video": video(),
    "measures": measures(),
    "nearest": nearest(),
}
text = json.dumps(figures, indent=2)
pathlib.Path(__file__).with_name("figures.json").write_text(text + "\n")
