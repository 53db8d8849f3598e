"""A small EfficientNet grows: the same extra work on blocks, on channels, on pixels, or on all three at once.

A stem, two stages of MBConv, a 1×1 convolution, after Tan and Le (2019), arXiv:1905.11946, on clothes shrunk to 14×14.
The scaled nets do 3.6 to 3.8 times its work. Beside them two ways to spend as much on nothing new: each pixel four
times, and four times the passes; larger windows; and nets of two blocks a stage that lack a part. Nothing is dropped.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.data import Images
from cnnlib.datasets import cifar10
from cnnlib.experiments.running import Size, at_rate, clothes, photographs_apart, train_and_record
from cnnlib.layers import ConvNormAct, SqueezeExcite, linear_classifier
from cnnlib.models.efficientnet import mbconv, start_by_fan_out, swish
from cnnlib.records import Record
from cnnlib.training import Recipe

SIDE = 28  # of the data that the arms' sides are meant for


@dataclass(frozen=True)
class Arm:
    """One net, and what it is given; `rate` multiplies the recipe's learning rate."""

    blocks: tuple[int, int] = (1, 1)  # of each stage
    channels: tuple[int, int, int, int] = (8, 12, 24, 64)  # of the stem, the stages, the last 1×1
    side: int = 14  # of the images, in pixels
    seen: int | None = None  # side of the images that these pixels are copied from
    passes: int = 1  # over the images, in what the recipe counts as one
    parts: tuple[tuple[int, int], ...] = ((3, 4), (3, 4))  # side of the window and expansion in each stage
    gate: str = "image"  # what the gate looks at; or "none", no gate; or "nothing", a learnt number a channel
    activation: Callable[[], nn.Module] = swish
    rate: float = 1.0


ARMS = {
    "base": Arm(),
    "depth": Arm(blocks=(4, 4), rate=0.25),
    "width": Arm(channels=(16, 24, 48, 128)),
    "resolution": Arm(side=28),
    "resolution-twice": Arm(side=28, rate=2.0),  # of the rate
    "compound": Arm(blocks=(1, 2), channels=(10, 15, 30, 80), side=18, rate=0.5),
    "copied": Arm(side=28, seen=14, rate=0.5),
    "copied-twice": Arm(side=28, seen=14, rate=2.0),
    "longer": Arm(passes=4),
    "windows": Arm(parts=((5, 4), (7, 4)), rate=0.5),
    "reach": Arm(side=28, parts=((5, 4), (7, 4)), rate=0.5),
    "whole": Arm(blocks=(2, 2), rate=0.25),
    "no-gate": Arm(blocks=(2, 2), gate="none", rate=0.25),
    "blind": Arm(blocks=(2, 2), gate="nothing", rate=0.25),
    "relu": Arm(blocks=(2, 2), activation=nn.ReLU, rate=0.25),
}


class Blind(nn.Module):
    """A gate that sees nothing: one learnt number a channel, between 0 and 1, the same for every image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.openness = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.openness.sigmoid()[:, None, None]


def build(arm: Arm, in_channels: int = 1, classes: int = 10) -> nn.Sequential:
    """N×C×H×W to logits. In three channels twice as wide."""
    stem, *widths, last = (channels * (1 if in_channels == 1 else 2) for channels in arm.channels)
    conv, channels = partial(ConvNormAct, activation=swish), stem
    features = nn.Sequential(conv(in_channels, stem, 3))
    for width, blocks, (kernel_size, expansion) in zip(widths, arm.blocks, arm.parts):
        for number in range(blocks):
            stride = 2 if number == 0 else 1
            features.append(mbconv(channels, width, kernel_size, expansion, stride, drop_rate=0.0, eps=1e-5))
            channels = width
    features.append(conv(channels, last, 1))
    model = nn.Sequential(OrderedDict(features=features, classifier=linear_classifier(last, classes)))
    start_by_fan_out(model)
    if arm.gate != "image":
        blind = arm.gate == "nothing"
        swap(model, SqueezeExcite, lambda gate: Blind(gate.gate[1].in_channels) if blind else nn.Identity())
    if arm.activation is not swish:
        swap(model, nn.SiLU, lambda _: arm.activation())
    return model


def swap(model: nn.Module, kind: type, make: Callable[[nn.Module], nn.Module]) -> None:
    """Put `make(part)` in the place of every part of that kind; all other weights stay as they are."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kind):
                setattr(parent, name, make(child))


def resized(images: Images, arm: Arm) -> Images:
    """The images as the arm sees them: means of the pixels that fall together, perhaps copied to more pixels."""
    whole = images.pixels.shape[-1]
    side, seen = (round(pixels * whole / SIDE) for pixels in (arm.side, arm.seen or arm.side))
    pixels = F.adaptive_avg_pool2d(images.pixels.float(), seen).round().byte()
    copies = side // seen
    return replace(images, pixels=pixels.repeat_interleave(copies, 2).repeat_interleave(copies, 3))


few, apart = partial(clothes, 1500), partial(photographs_apart, 10_000)

# Each arm's rate is the best of 0.05, 0.1 and 0.2 on 2,000 other clothes (means of three seeds).
RECIPE = Recipe(epochs=4, learning_rate=0.2, batch_size=32)
LIVE = Size("scaling", "fashion-1500", few, RECIPE, seeds=3, threads=1)
LONG = Size("scaling-long", "fashion-1500", few, replace(RECIPE, epochs=16), seeds=3, threads=1)
# For two processor cores; each net at that of the RATES (`--rate`) which reads most images by CHOICE.
RATES = (0.5, 1, 2, 4, 8)
CIFAR = Size("scaling-cifar10", "cifar10", cifar10, Recipe(epochs=8, learning_rate=0.1, weight_decay=5e-4), seeds=3)
CHOICE = Size("scaling-choice", "cifar10-10000-apart", apart, replace(CIFAR.recipe, epochs=4), seeds=1)
FULL = Size("scaling-full", "cifar10", cifar10, Recipe(epochs=30, learning_rate=0.1, weight_decay=1e-4), seeds=3)


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, as `trained` does; its record."""
    return trained(ARMS[arm], seed, size, device, spoil, experiment="scaling", arm=arm)[1]


def trained(
    plan: Arm, seed: int, size: Size, device: torch.device, spoil: Callable = untouched, **names: str
) -> tuple[nn.Module, Record]:
    """Train one net: the net in evaluation mode, and its record, under `names`.

    The seed sets weights and order. `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    part, test = size.load()
    model, data = spoil(build(plan, part.pixels.shape[1], len(part.classes)), (part, test), seed)
    part, test = (resized(images, plan) for images in data)
    part = part[torch.arange(len(part)).repeat(plan.passes)]
    at_rate(model, plan.rate)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in less time
    return model, train_and_record(model, (part, test), size, seed=seed, device=device, **names)


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("leaves chance", "ahead of")}
