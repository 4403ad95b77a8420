"""
Makes linear.json: what PyTorch's linear layer, cross-entropy and SGD with momentum make of small
features in three epochs of two batches, with the learning rate of each epoch from its cosine
schedule, as the reference's linear evaluation has them.

    pip install numpy torch
    python packages/evaluation/test/reference/linear.py
    npx biome check --write packages/evaluation/test/reference
"""

import base64
import json
import pathlib

import numpy as np
import torch
from named import named

DIM, CLASSES, ROWS, BATCH, EPOCHS, RATE = 7, 6, 10, 6, 3, 0.5


def packed(tensor):
    array = np.ascontiguousarray(tensor.detach().numpy(), "float64")
    return {
        "dtype": "float64",
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def main():
    torch.set_default_dtype(torch.float64)
    features = torch.tensor(named("linear.features", ROWS, DIM, low=-2, high=2).astype("float64"))
    labels = torch.arange(ROWS) * 5 % CLASSES
    layer = torch.nn.Linear(DIM, CLASSES)
    layer.weight.data = torch.tensor(named("linear.weight", CLASSES, DIM).astype("float64"))
    layer.bias.data = torch.tensor(named("linear.bias", CLASSES).astype("float64"))
    optimizer = torch.optim.SGD(layer.parameters(), RATE, momentum=0.9, weight_decay=0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS, eta_min=0)
    steps, rates = [], []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        for first in range(0, ROWS, BATCH):
            some = slice(first, first + BATCH)
            loss = torch.nn.functional.cross_entropy(layer(features[some]), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps.append({"loss": loss.item(), "weight": packed(layer.weight), "bias": packed(layer.bias)})
        scheduler.step()
    logits = layer(features)
    ranks = logits.topk(5, 1).indices == labels[:, None]
    figures = {
        "dim": DIM, "classes": CLASSES, "rows": ROWS, "batch": BATCH, "epochs": EPOCHS, "rate": RATE,
        "labels": labels.tolist(),
        "rates": rates,
        "steps": steps,
        "top1": 100 * ranks[:, :1].sum().item() / ROWS,
        "top5": 100 * ranks.sum().item() / ROWS,
        "loss": torch.nn.functional.cross_entropy(logits, labels).item(),
    }
    path = pathlib.Path(__file__).with_name("linear.json")
    path.write_text(json.dumps(figures))


main()
