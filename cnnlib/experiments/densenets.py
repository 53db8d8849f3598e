"""Dense blocks: what does it buy that each layer sees all earlier maps of its block?

Two blocks of plain layers learn clothes. In "ends" and "chain" each layer sees only the layer before it, whose maps are
repeated until they are as many as a dense layer reads: weights, start and multiply-adds stay the same. In "inside" and
"chain" the block hands on only the maps of its last layer, repeated, in "ends" all. The rivals are as deep, stack
nothing, and have about as many parameters. The growth rates trade depth for width at about equal parameters. In colour
all is twice as wide.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from cnnlib.data import Images
from cnnlib.datasets import cifar10
from cnnlib.experiments.running import Size, at_rate, clothes, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.layers import linear_classifier
from cnnlib.models.densenet import DenseBlock, DenseLayer, DenseNet, norm_act_conv, plain_layer
from cnnlib.records import Record
from cnnlib.training import Recipe

STEM = 16  # maps of the first convolution


@dataclass(frozen=True)
class Arm:
    """A dense net, or with a `width` a rival that stacks nothing; `rate` multiplies the recipe's learning rate."""

    layers_see: str = "all"  # or "last"
    hands_on: str = "all"  # or "last"
    growth: int = 8
    blocks: tuple[int, int] = (6, 6)
    width: int = 0
    adds: bool = False  # the rival's shortcut round each pair of convolutions
    rate: float = 1.0


# The rates: of 0.03, 0.1 and 0.3 for each the best on 400 clothes set apart from the training part.
ARMS = {
    "dense": Arm(),
    "ends": Arm(layers_see="last"),
    "inside": Arm(hands_on="last"),
    "chain": Arm(layers_see="last", hands_on="last", rate=0.1),
    "plain": Arm(width=20, rate=0.33),
    "residual": Arm(width=20, adds=True),
    "k4": Arm(growth=4, blocks=(11, 12), rate=0.33),
    "k12": Arm(growth=12, blocks=(4, 4)),
    "k27": Arm(growth=27, blocks=(2, 2)),
}


class Wired(DenseBlock):
    """A dense block whose layers, or what comes behind it, may be shown the last maps only."""

    def __init__(self, layers: Iterable[DenseLayer], layers_see: str, hands_on: str) -> None:
        super().__init__(layers)
        self.layers_see, self.hands_on = layers_see, hands_on

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self:
            maps.append(layer(maps if self.layers_see == "all" else repeated(maps)))
        return torch.cat(maps if self.hands_on == "all" else repeated(maps), dim=1)


def repeated(maps: Sequence[Tensor]) -> list[Tensor]:
    """The last of the maps, again and again, until there are as many channels as all maps have."""
    wanted, last = sum(part.shape[1] for part in maps), maps[-1]
    return [last.repeat(1, -(-wanted // last.shape[1]), 1, 1)[:, :wanted]]


class Pair(nn.Sequential):
    """Two convolutions, each behind its norm and ReLU; perhaps their input is added."""

    def __init__(self, width: int, adds: bool) -> None:
        super().__init__(norm_act_conv(width, width, 3), norm_act_conv(width, width, 3))
        self.adds = adds

    def forward(self, x: Tensor) -> Tensor:
        if not self.adds:
            return super().forward(x)
        return x + super().forward(x)


def build(arm: Arm, in_channels: int = 1, classes: int = 10) -> nn.Module:
    """N×C×H×W to logits: a convolution, two blocks, a transition between them, the mean of each map, a matrix."""
    scale, stride = (1, 2) if in_channels == 1 else (2, 1)
    if arm.width:
        return rival(arm, in_channels, classes, scale * arm.width, stride)
    stem = nn.Conv2d(in_channels, scale * STEM, 3, stride, padding=1, bias=False)
    parts, growth = OrderedDict(conv=stem), scale * arm.growth
    model = DenseNet(parts, scale * STEM, plain_layer, arm.blocks, growth, 0.5, classes)
    for name, block in list(model.features.named_children()):
        if isinstance(block, DenseBlock):
            setattr(model.features, name, Wired(block, arm.layers_see, arm.hands_on))
    return model


def rival(arm: Arm, in_channels: int, classes: int, width: int, stride: int) -> nn.Module:
    """As deep as the dense net, with equally many maps everywhere."""
    stem = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(stem.weight)
    features = nn.Sequential(OrderedDict(conv=stem))
    for number, layers in enumerate(arm.blocks, start=1):
        features.add_module(f"block{number}", nn.Sequential(*[Pair(width, arm.adds) for _ in range(layers // 2)]))
        if number < len(arm.blocks):
            features.add_module(f"transition{number}", norm_act_conv(width, width, 1).append(nn.AvgPool2d(2)))
    features.add_module("norm", nn.BatchNorm2d(width))
    features.add_module("relu", nn.ReLU(inplace=True))
    classifier = linear_classifier(width, classes)
    nn.init.zeros_(classifier[-1].bias)
    return nn.Sequential(OrderedDict(features=features, classifier=classifier))


few = partial(clothes, 2000)
RECIPE = Recipe(epochs=2, learning_rate=0.3, batch_size=32)
LIVE = Size("densenets", "fashion-2000", few, RECIPE, seeds=3, threads=1)
LONG = Size("densenets-long", "fashion-2000", few, replace(RECIPE, epochs=8), seeds=3, threads=1)
FULL = Size("densenets-full", "cifar10", cifar10, Recipe(epochs=30, learning_rate=0.1, weight_decay=1e-4), seeds=3)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, as `trained` does; its record."""
    return trained(arm, seed, size, device, spoil)[1]


def trained(
    arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched
) -> tuple[nn.Module, Record]:
    """Train one arm: the net in evaluation mode, and its record. The seed sets weights and order."""
    torch.manual_seed(seed)
    data = size.load()
    model, data = spoil(build(ARMS[arm], data[0].pixels.shape[1], len(data[0].classes)), data, seed)
    at_rate(model, ARMS[arm].rate)
    return model, train_and_record(model, data, size, experiment="densenets", arm=arm, seed=seed, device=device)


def rewired(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: whatever the arm says, each layer sees the layer before it only, and the block hands on its last."""
    for block in model.modules():
        if isinstance(block, Wired):
            block.layers_see = block.hands_on = "last"
    return model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("leaves chance",), rewired: ("ahead of the chain",)}
