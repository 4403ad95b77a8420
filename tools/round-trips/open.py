"""Opens a model that was trained and converted here in torch, timm and transformers, and compares features.

    python open.py FOLDER

FOLDER has pictures/, ours/ (what `dino convert` wrote) and ours/features.npy. Prints one line of JSON:
what was opened and how far the features are off, by the largest feature.
"""

import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from make import SIZE, read_pictures
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModel, ViTModel


def vit():
    """The reference's architecture, which timm has too."""
    return timm.create_model("vit_tiny_patch16_224", num_classes=0)


def strictly(state):
    model = vit()
    model.load_state_dict(state, strict=True)
    return model.eval()


def as_the_reference(path, key="teacher"):
    """What its `load_pretrained_weights` does to a checkpoint, and no head must be missed."""
    state = torch.load(path, map_location="cpu", weights_only=True)[key]
    state = {k.replace("module.", "").replace("backbone.", ""): v for k, v in state.items()}
    model = vit()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not missing and all(name.startswith("head.") for name in unexpected), (missing, unexpected)
    return model.eval()


def main(folder):
    results = vision_transformer(folder, folder / "ours") + residual_network(folder, folder / "ours-resnet")
    print(json.dumps(results))


def residual_network(folder, ours):
    images = read_pictures(folder / "pictures")
    expected = torch.from_numpy(np.load(ours / "features.npy"))
    results = []

    def compare(name, features):
        off = ((features - expected).abs().max() / expected.abs().max()).item()
        results.append({"program": f"{name}, resnet18", "off": off})

    with torch.no_grad():
        model = torchvision.models.resnet18()
        model.fc = torch.nn.Identity()
        model.load_state_dict(torch.load(ours / "backbone.pth", weights_only=True), strict=True)
        compare("torchvision", model.eval()(images))
        timms = timm.create_model(f"local-dir:{ours / 'timm'}", pretrained=True)
        compare("timm.create_model('local-dir:')", timms.eval()(images))
        theirs = AutoModel.from_pretrained(ours / "hf").eval()
        compare("transformers, AutoModel", theirs(images).pooler_output.flatten(1))
    return results


def vision_transformer(folder, ours):
    images = read_pictures(folder / "pictures")
    expected = torch.from_numpy(np.load(ours / "features.npy"))
    results = []

    def compare(name, features):
        off = ((features - expected).abs().max() / expected.abs().max()).item()
        results.append({"program": name, "off": off})

    with torch.no_grad():
        compare(
            "torch.load(weights_only=True), backbone",
            strictly(torch.load(ours / "backbone.pth", weights_only=True))(images),
        )
        compare(
            "torch.load(mmap=True), backbone",
            strictly(torch.load(ours / "backbone.pth", weights_only=True, mmap=True))(images),
        )
        compare("safetensors.torch.load_file", strictly(load_file(ours / "backbone.safetensors"))(images))
        compare("the reference's loading, checkpoint", as_the_reference(ours / "checkpoint.pth")(images))
        compare(
            "timm.create_model('local-dir:')",
            timm.create_model(f"local-dir:{ours / 'timm'}", pretrained=True).eval()(images),
        )
        model = ViTModel.from_pretrained(ours / "hf", add_pooling_layer=False).eval()
        compare("transformers, ViTModel", model(images).last_hidden_state[:, 0])
        processor = AutoImageProcessor.from_pretrained(ours / "hf")
        pictures = [Image.open(path) for path in sorted((folder / "pictures").rglob("*.png"))]
        pixels = processor(pictures, return_tensors="pt")["pixel_values"]
        assert pixels.shape[-2:] == (SIZE, SIZE), pixels.shape
        model = AutoModel.from_pretrained(ours / "hf").eval()
        compare("transformers, AutoImageProcessor and AutoModel", model(pixels).last_hidden_state[:, 0])

    full = torch.load(ours / "checkpoint.pth", weights_only=True)
    assert sorted(full) == ["args", "dino_loss", "epoch", "student", "teacher"], sorted(full)
    assert full["args"]["arch"] == "vit_tiny" and full["dino_loss"]["center"].ndim == 2
    assert all(name.startswith("module.") for name in full["student"])
    return results


if __name__ == "__main__":
    main(Path(sys.argv[1]))
