"""Small kernels, stacked: do two 3×3 read clothes better than one 5×5, and three better than one 7×7?

All nets have 16 maps in every layer, the same pools and the same receptive field; only what stands in a block differs.
After section 2.3 of Simonyan and Zisserman (2014), arXiv:1409.1556. 10,000 images, three epochs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Generator, nn

from cnnlib.data import Images, Pad
from cnnlib.datasets import fashion, fashion_mnist
from cnnlib.experiments.running import Size, train_and_record
from cnnlib.records import Record
from cnnlib.training import Recipe

WIDTH = 16


@dataclass(frozen=True)
class Arm:
    """What stands in each of the two blocks: so many convolutions of this kernel, with batch norm or without."""

    depth: int
    kernel: int
    norm: bool = False


STACKS = {"two-3x3": Arm(2, 3), "one-5x5": Arm(1, 5), "three-3x3": Arm(3, 3), "one-7x7": Arm(1, 7)}
ARMS = STACKS | {f"{name}-norm": replace(arm, norm=True) for name, arm in STACKS.items()}

# The rate was chosen on 2,000 images set apart from the training part, as the best for both kinds of kernel.
LIVE = Size("small-kernels", "fashion", fashion, Recipe(epochs=3, learning_rate=0.03), seeds=3, threads=1)
LONG = Size("small-kernels-long", "fashion", fashion, Recipe(epochs=6, learning_rate=0.03), seeds=3, threads=1)
FULL = Size("small-kernels-full", "fashion_mnist", fashion_mnist, Recipe(epochs=10, learning_rate=0.03), seeds=3)


def build(arm: Arm) -> nn.Sequential:
    """N×1×32×32 to ten logits: a first convolution that halves the maps, two blocks, a linear layer. He's start."""
    layers = [*convolution(1, 3, arm.norm, stride=2)]
    for _ in range(2):
        for _ in range(arm.depth):
            layers += convolution(WIDTH, arm.kernel, arm.norm)
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(WIDTH * 4 * 4, 10))


def convolution(in_channels: int, kernel: int, norm: bool, stride: int = 1) -> list[nn.Module]:
    """A convolution that keeps the maps' size at stride 1, perhaps a batch norm, ReLU."""
    layer = nn.Conv2d(in_channels, WIDTH, kernel, stride, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return [layer, *([nn.BatchNorm2d(WIDTH)] if norm else []), nn.ReLU(inplace=True)]


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(build(ARMS[arm]), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in half the time
    return train_and_record(
        model, data, size, experiment="small-kernels", arm=arm, seed=seed, device=device, transforms=[Pad(2)]
    )


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


def pinholes(model: nn.Sequential, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the large kernels see one pixel."""
    for place, layer in enumerate(model):
        if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 3:
            model[place] = nn.Conv2d(WIDTH, WIDTH, 1)
    return model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("four in five",), pinholes: ("not ahead of",)}
