"""Speed: how soon does a net read the photographs of CIFAR-10, on two processor cores?

A small net made for it, after the records for GPUs (K. Jordan, 2024, arXiv:2404.00498): a first convolution of 2×2
windows that begins as the main directions of such windows in the training images, then three groups of two 3×3
convolutions. Training mirrors the images and shifts them by up to two pixels; testing asks both ways, for the lean
nets six ways.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib.data import Normalize, cutout, random_crop
from cnnlib.datasets import cifar10
from cnnlib.experiments.ladder import padding
from cnnlib.experiments.running import Size, clothes, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.experiments.small_vgg import BothWays
from cnnlib.layers import linear_classifier
from cnnlib.records import Record
from cnnlib.training import Recipe


@dataclass(frozen=True)
class Arm:
    """The maps of the three groups. `fixed`: the first convolution stays as it begins. `hole`: in training, a square of
    so many pixels a side of each image is black. `lean`, after the nets for records: the norms learn what they add but
    no factor, the last pool takes the largest value of each map, and testing asks six ways (see SixWays).
    """

    widths: tuple[int, ...]
    fixed: bool = False
    hole: int = 0
    lean: bool = False


ARMS = {
    "narrow": Arm((32, 64, 128)),
    "middle": Arm((64, 128, 128)),
    "wide": Arm((64, 256, 256)),
    "narrow-fixed": Arm((32, 64, 128), fixed=True),
    "narrow-lean": Arm((32, 64, 128), fixed=True, lean=True),
    "steep-lean": Arm((32, 128, 256), fixed=True, lean=True),
    "wide-holes-lean": Arm((64, 256, 256), fixed=True, hole=8, lean=True),
}

few = partial(clothes, 2000)
RECIPE = Recipe(epochs=5, learning_rate=0.2, batch_size=128, weight_decay=1e-3)
LIVE = Size("speed", "fashion-2000", few, RECIPE, seeds=3, threads=1)
FULL = Size("speed-full", "cifar10", cifar10, RECIPE, seeds=3)
# Twelve passes by the recipe for five, and nine by a more patient one.
HASTY = Size("speed-hasty", "cifar10", cifar10, replace(RECIPE, epochs=12), seeds=1)
GENTLE = replace(RECIPE, epochs=9, learning_rate=0.1, weight_decay=5e-4)
PATIENT = Size("speed-patient", "cifar10", cifar10, GENTLE, seeds=1)
# In mixed precision, for processors that compute in bfloat16: about ten minutes of two cores, and a long run.
TEN = Size("speed-ten-minutes", "cifar10", cifar10, replace(GENTLE, epochs=20, bfloat16=True), seeds=1)
LONG = Size("speed-long", "cifar10", cifar10, replace(GENTLE, epochs=32, bfloat16=True), seeds=1)


def group(in_channels: int, width: int) -> nn.Sequential:
    """3×3, pool by two, norm, GELU, 3×3, norm, GELU."""
    layers = [nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(width)]
    layers += [nn.GELU(), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.GELU()]
    return nn.Sequential(*layers)


def build(arm: Arm, in_channels: int = 3, classes: int = 10) -> nn.Sequential:
    """N×C×32×32 to logits."""
    first, widths = 8 * in_channels, arm.widths
    features = nn.Sequential(OrderedDict(conv1=nn.Sequential(nn.Conv2d(in_channels, first, 2), nn.GELU())))
    for number, (before, width) in enumerate(zip((first, *widths), widths), start=1):
        features.add_module(f"group{number}", group(before, width))
    features.conv1.requires_grad_(not arm.fixed)
    classifier = linear_classifier(widths[-1], classes)
    if arm.lean:
        classifier[0] = nn.AdaptiveMaxPool2d(1)
        for norm in filter(lambda layer: isinstance(layer, nn.BatchNorm2d), features.modules()):
            norm.weight.requires_grad_(False)
    return nn.Sequential(OrderedDict(features=features, classifier=classifier))


@torch.no_grad()
def whiten(conv: nn.Conv2d, images: Tensor) -> None:
    """Begin with the main directions of 2×2 windows, scaled so that all vary nearly by one, with opposites."""
    windows = F.unfold(images, 2).transpose(1, 2).flatten(0, 1)  # every window, a row each
    variances, directions = torch.linalg.eigh(torch.cov(windows.double().T))
    kernels = (directions / (variances + 1e-2).sqrt()).T.float()
    conv.weight.copy_(torch.cat([kernels, -kernels]).view_as(conv.weight))
    conv.bias.zero_()


def smoothed(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy against labels of which a fifth is shared among all classes, and the logits."""
    logits = model(images)
    return F.cross_entropy(logits, labels, label_smoothing=0.2), logits


class SixWays(BothWays):
    """In testing also asks about each image moved by a pixel, down to the right and up to the left.

    Each of the three both ways; the image in its place counts for half. At the border the moved ones are mirrored in.
    As in Jordan's tests, but what is averaged are probabilities, not logits.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        height, width = x.shape[2:]
        room = F.pad(x, [1] * 4, mode="reflect")
        views = [(x, 1 / 2), (room[:, :, :height, :width], 1 / 4), (room[:, :, 2:, 2:], 1 / 4)]
        ask = super().forward
        return torch.stack([ask(view) + math.log(share) for view, share in views]).logsumexp(0)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, smaller images padded to 32×32. The seed sets weights, order and augmentation.

    `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    part, test = size.load()
    settings = ARMS[arm]
    model, data = spoil(build(settings, part.pixels.shape[1], len(part.classes)), (part, test), seed)
    pads = padding(part)
    some = data[0].pixels[:1000]
    for step in [*pads, Normalize(data[0])]:
        some = step(some)
    whiten(model.features.conv1[0], some)
    ways = SixWays if settings.lean else BothWays
    model = ways(model).to(memory_format=torch.channels_last)
    where = {"experiment": "speed", "arm": arm, "seed": seed, "device": device, "loss": smoothed}
    augment = [partial(random_crop, padding=2)]
    if settings.hole:
        augment.append(partial(cutout, size=settings.hole))
    return train_and_record(model, data, size, **where, transforms=pads, augment=augment)


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ()}
