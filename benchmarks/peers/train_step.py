"""One training step of DINO in PyTorch on the CPU: the other side of train-step.mjs.

Makes the networks and fixed random crops, prints {"runsOn", "readyRssBytes"}, and then obeys standard input:
`step` trains one step and answers {"seconds", "loss"}, `finish` answers {"peakRssBytes"} and ends.
The one argument is JSON: {"sizes" (a preset of train-step/presets.mjs), "precision", "sdpa",
"compile", "threads" (0 for PyTorch's choice)}.

A step is what the JavaScript side does: the teacher sees the two global crops, the student all of
them, one forward pass of the backbone for each resolution and one of the head for all; the loss is
the cross-entropy of the student with the centred and sharpened teacher over all pairs of different
views (Caron et al. 2021, https://arxiv.org/abs/2104.14294); each parameter's gradient is clipped by
its own norm; AdamW with weight decay on matrices alone; exponential averages of the weights and of
the centre.
"""

import contextlib
import json
import resource
import sys
import time

try:
    import torch
except ImportError as error:
    print(json.dumps({"error": f"torch: expected to be importable, got {error}"}), flush=True)
    sys.exit(1)

from torch import nn
from torch.nn import functional as F

STUDENT_TEMPERATURE = 0.1
TEACHER_TEMPERATURE = 0.04
CENTER_MOMENTUM = 0.9


class Block(nn.Module):
    def __init__(self, width, heads, sdpa):
        super().__init__()
        self.heads = heads
        self.sdpa = sdpa
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens):
        tokens = tokens + self.proj(self.attend(self.qkv(self.norm1(tokens))))
        return tokens + self.fc2(F.gelu(self.fc1(self.norm2(tokens))))

    def attend(self, qkv):
        batch, count, triple = qkv.shape
        size = triple // (3 * self.heads)
        q, k, v = qkv.view(batch, count, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        if self.sdpa:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = torch.softmax((q * size**-0.5) @ k.transpose(2, 3), dim=-1) @ v
        return mixed.transpose(1, 2).reshape(batch, count, self.heads * size)


class Backbone(nn.Module):
    def __init__(self, sizes, sdpa):
        super().__init__()
        width = sizes["width"]
        self.patch = sizes["patch"]
        self.side = sizes["globalSize"] // self.patch
        self.embed = nn.Conv2d(3, width, self.patch, stride=self.patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.side**2, width))
        self.blocks = nn.Sequential(
            *[Block(width, sizes["heads"], sdpa) for _ in range(sizes["depth"])]
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for parameter in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, images):
        patches = self.embed(images)
        side = patches.shape[-1]
        tokens = patches.flatten(2).transpose(1, 2)
        cls = self.cls_token.expand(len(images), -1, -1)
        tokens = torch.cat([cls, tokens], dim=1) + self.positions(side)
        return self.norm(self.blocks(tokens))[:, 0]

    def positions(self, side):
        if side == self.side:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


class Head(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        hidden, bottleneck = sizes["hidden"], sizes["bottleneck"]
        self.layers = nn.Sequential(
            nn.Linear(sizes["width"], hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
        )
        self.direction = nn.Parameter(torch.empty(sizes["prototypes"], bottleneck))
        # The last layer's gains stay at 1, as with DINO's norm_last_layer.
        self.register_buffer("gain", torch.ones(sizes["prototypes"], 1))

    def forward(self, features):
        weight = torch._weight_norm(self.direction, self.gain, 0)
        return F.linear(F.normalize(self.layers(features), dim=-1), weight)


class Network(nn.Module):
    def __init__(self, sizes, sdpa):
        super().__init__()
        self.backbone = Backbone(sizes, sdpa)
        self.head = Head(sizes)
        for name, parameter in self.named_parameters():
            if name.endswith(".direction") or ("norm" not in name and name.endswith(".weight")):
                nn.init.trunc_normal_(parameter, std=0.02)
            elif name.endswith(".bias"):
                nn.init.zeros_(parameter)

    def forward(self, crops):
        return self.head(torch.cat([self.backbone(group) for group in crops]))


def cross_entropy(student, teacher, center, views):
    """Mean over all pairs of a teacher's and another student's view.

    Every softmax is taken once: all pairs at once, less the pairs of a view with itself.
    """
    log_probabilities = F.log_softmax(student.float() / STUDENT_TEMPERATURE, dim=-1)
    targets = F.softmax((teacher - center) / TEACHER_TEMPERATURE, dim=-1)
    log_probabilities = log_probabilities.unflatten(0, (views, -1))
    targets = targets.unflatten(0, (2, -1))
    every = (targets.sum(0) * log_probabilities.sum(0)).sum(-1).mean()
    same = (targets * log_probabilities[:2]).sum(-1).sum(0).mean()
    return (same - every) / (2 * (views - 1))


def parameter_groups(network):
    decayed, others = [], []
    for name, parameter in network.named_parameters():
        is_vector = parameter.ndim == 1 or name.endswith(".bias")
        (others if is_vector else decayed).append(parameter)
    return [{"params": decayed}, {"params": others, "weight_decay": 0.0}]


def clip_each(gradients, maximum):
    """Holds each tensor's gradient to a norm, and leaves alone those that are shorter."""
    norms = torch.stack(torch._foreach_norm(gradients)).tolist()
    for gradient, norm in zip(gradients, norms):
        if norm > maximum:
            gradient.mul_(maximum / (norm + 1e-6))


def trainer(options):
    sizes = options["sizes"]
    torch.manual_seed(0)
    student, teacher = Network(sizes, options["sdpa"]), Network(sizes, options["sdpa"])
    teacher.load_state_dict(student.state_dict())
    teacher.requires_grad_(False)
    learning, averaged = list(student.parameters()), list(teacher.parameters())
    optimizer = torch.optim.AdamW(
        parameter_groups(student),
        lr=sizes["learningRate"],
        weight_decay=sizes["weightDecay"],
        fused=True,
    )
    views = 2 + sizes["locals"]
    batch = sizes["batch"]
    crops = [torch.randn(2 * batch, 3, sizes["globalSize"], sizes["globalSize"])]
    if sizes["locals"] > 0:
        count, side = sizes["locals"] * batch, sizes["localSize"]
        crops.append(torch.randn(count, 3, side, side))
    center = torch.zeros(1, sizes["prototypes"])

    def casting():
        if options["precision"] == "bf16":
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def teach(images):
        with torch.no_grad(), casting():
            return teacher([images]).float()

    def learn(images, targets, center):
        with casting():
            logits = student(images)
        return cross_entropy(logits, targets, center, views)

    if options["compile"]:
        teach, learn = torch.compile(teach), torch.compile(learn)

    def step():
        logits = teach(crops[0])
        loss = learn(crops, logits, center)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_each([p.grad for p in learning], sizes["clipNorm"])
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, learning, 1 - sizes["teacherMomentum"])
            center.lerp_(logits.mean(0, keepdim=True), 1 - CENTER_MOMENTUM)
        return loss.item()

    return step


def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def answer(document):
    print(json.dumps(document), flush=True)


def main():
    options = json.loads(sys.argv[1])
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    step = trainer(options)
    answer(
        {
            "runsOn": f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, "
            f"{torch.get_num_threads()} threads",
            "readyRssBytes": peak_bytes(),
        }
    )
    for line in sys.stdin:
        if line.strip() == "step":
            started = time.perf_counter()
            loss = step()
            answer({"seconds": time.perf_counter() - started, "loss": loss})
        elif line.strip() == "finish":
            answer({"peakRssBytes": peak_bytes()})
            break


if __name__ == "__main__":
    main()
