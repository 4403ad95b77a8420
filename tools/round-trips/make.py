"""Makes models with random weights in torch, timm, transformers and torchvision, saves each as these
programs save them, and writes the features that they give for a few pictures.

    python make.py FOLDER

In FOLDER afterwards: pictures/ (two classes of PNG files), theirs/ (the saved models), expected/*.npy
(features, a row for each picture in the order of names), and theirs.json: what there is to load.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from timm.models import save_for_hf
from transformers import (
    ResNetConfig,
    ResNetForImageClassification,
    ResNetModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

SIZE, PATCH, WIDTH, DEPTH, HEADS = 224, 16, 192, 12, 3
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def draw_pictures(folder):
    """Pictures of 256 x 256, which resizing leaves alone: what is compared is models."""
    rng = np.random.default_rng(0)
    for label in ("blue", "red"):
        (folder / label).mkdir(parents=True)
        for i in range(4):
            coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((256, 256), Image.BICUBIC)
            picture.save(folder / label / f"{i}.png")


def read_pictures(folder):
    """The central 224 x 224 of each, normalised, in the order of their names."""
    crop = (256 - SIZE) // 2
    arrays = [
        np.asarray(Image.open(path))[crop : crop + SIZE, crop : crop + SIZE]
        for path in sorted(folder.rglob("*.png"))
    ]
    pixels = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255
    return (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def shake(model):
    """Other weights than those that models begin with, which leave whole terms near zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            noise = torch.randn(value.shape, generator=generator) if value.is_floating_point() else None
            if noise is None:
                continue
            if name.endswith("running_var"):
                value.copy_(0.5 + noise.abs())
            elif value.ndim > 1:
                value.copy_(noise * (1.5 / max(1, value[0].numel())) ** 0.5)
            else:
                value.add_(noise * 0.1)
    return model.eval()


def backbone():
    return timm.create_model("vit_tiny_patch16_224", num_classes=0)


def main(folder):
    torch.manual_seed(0)
    pictures, theirs, expected = folder / "pictures", folder / "theirs", folder / "expected"
    draw_pictures(pictures)
    images = read_pictures(pictures)
    theirs.mkdir()
    expected.mkdir()
    made = []

    def keep(name, path, features, program, tolerance=1e-5):
        np.save(expected / f"{name}.npy", features.detach().numpy())
        made.append({"name": name, "weights": path, "program": program, "tolerance": tolerance})

    with torch.no_grad():
        vit = shake(backbone())
        features = vit(images)
        state = vit.state_dict()
        torch.save(state, theirs / "zip.pth")
        keep("zip", "zip.pth", features, "torch.save, zip")
        torch.save(state, theirs / "legacy.pth", _use_new_zipfile_serialization=False)
        keep("legacy", "legacy.pth", features, "torch.save, before 1.6")
        save_file(state, theirs / "backbone.safetensors", metadata={"format": "pt"})
        keep("safetensors", "backbone.safetensors", features, "safetensors")
        save_file({k: v.half() for k, v in state.items()}, theirs / "half.safetensors")
        halves = backbone()
        halves.load_state_dict({k: v.half().float() for k, v in state.items()})
        keep("half", "half.safetensors", halves.eval()(images), "safetensors, float16")

        # What the reference's training writes: the student wrapped, the arguments as an object.
        head = {"head.mlp.0.weight": torch.randn(8, WIDTH), "head.last_layer.weight_g": torch.ones(4, 1)}
        teacher = {**{f"backbone.{k}": v for k, v in state.items()}, **head}
        student = {f"module.{k}": v + 1 for k, v in teacher.items()}
        full = {
            "student": student,
            "teacher": teacher,
            "optimizer": {"state": {0: {"step": 3, "exp_avg": torch.randn(2)}}, "param_groups": []},
            "epoch": 1,
            "args": argparse.Namespace(arch="vit_tiny", patch_size=PATCH),
            "dino_loss": {"center": torch.zeros(1, 4)},
        }
        for name, is_zip in (("full", True), ("full-legacy", False)):
            torch.save(full, theirs / f"{name}.pth", _use_new_zipfile_serialization=is_zip)
            keep(
                name,
                f"{name}.pth",
                features,
                f"the reference's checkpoint, {'zip' if is_zip else 'before 1.6'}",
            )

        classifying = shake(timm.create_model("vit_tiny_patch16_224", num_classes=5))
        save_for_hf(classifying, theirs / "timm")
        keep(
            "timm",
            "timm",
            classifying.forward_head(classifying.forward_features(images), pre_logits=True),
            "timm",
        )

        config = ViTConfig(
            hidden_size=WIDTH,
            num_hidden_layers=DEPTH,
            num_attention_heads=HEADS,
            intermediate_size=4 * WIDTH,
            image_size=SIZE,
            patch_size=PATCH,
            layer_norm_eps=1e-6,
        )
        model = shake(ViTModel(config))
        model.save_pretrained(theirs / "ViTModel")
        features = model(images).last_hidden_state[:, 0]
        keep("ViTModel", "ViTModel", features, "transformers, ViTModel")
        torch.save(model.state_dict(), theirs / "ViTModel.pth")
        keep("ViTModel.pth", "ViTModel.pth", features, "transformers' state_dict()")
        model = shake(ViTForImageClassification(config))
        model.save_pretrained(theirs / "ViTForImageClassification")
        features = model.vit(images).last_hidden_state[:, 0]
        keep(
            "ViTForImageClassification",
            "ViTForImageClassification",
            features,
            "transformers, ViTForImageClassification",
        )

        # The default of transformers, which the reference's models have not: close, and no more.
        config.layer_norm_eps = 1e-12
        model = shake(ViTModel(config))
        model.save_pretrained(theirs / "other-eps")
        features = model(images).last_hidden_state[:, 0]
        keep("other-eps", "other-eps", features, "transformers, ViTModel of layer_norm_eps 1e-12", 1e-4)

        residual = shake(torchvision.models.resnet18())
        torch.save(residual.state_dict(), theirs / "resnet18.pth")
        residual.fc = torch.nn.Identity()
        keep("resnet18", "resnet18.pth", residual(images), "torchvision, resnet18")
        residual = shake(torchvision.models.resnet50())
        residual.fc = torch.nn.Identity()
        teacher = {f"module.backbone.{k}": v for k, v in residual.state_dict().items()}
        torch.save({"student": teacher, "teacher": teacher}, theirs / "resnet50.pth")
        keep("resnet50", "resnet50.pth", residual(images), "the reference's checkpoint, ResNet-50")
        residual = shake(timm.create_model("resnet18", num_classes=5))
        save_for_hf(residual, theirs / "timm-resnet18")
        features = residual.forward_head(residual.forward_features(images), pre_logits=True)
        keep("timm-resnet18", "timm-resnet18", features, "timm, resnet18")
        config = ResNetConfig(hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic")
        for kind in (ResNetModel, ResNetForImageClassification):
            model = shake(kind(config))
            model.save_pretrained(theirs / kind.__name__)
            features = getattr(model, "resnet", model)(images).pooler_output.flatten(1)
            keep(kind.__name__, kind.__name__, features, f"transformers, {kind.__name__}")

    versions = {m.__name__: m.__version__ for m in (torch, torchvision, timm)}
    import safetensors
    import transformers

    versions |= {"transformers": transformers.__version__, "safetensors": safetensors.__version__}
    (folder / "theirs.json").write_text(json.dumps({"versions": versions, "models": made}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
