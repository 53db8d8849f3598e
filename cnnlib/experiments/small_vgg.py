"""A small VGG on clothes: how far does the plan of 2014, a quarter as wide, get on 10,000 images?

The first four blocks of configuration A of Simonyan and Zisserman (2014), arXiv:1409.1556, with batch norm and one
linear layer: 287,658 parameters. As in the paper, training mirrors images at random, and testing asks both ways.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from cnnlib.data import Images, Pad, random_flip
from cnnlib.datasets import fashion, fashion_mnist
from cnnlib.experiments.lenets import lenet_with
from cnnlib.experiments.running import Size, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.models.vgg import block
from cnnlib.records import Record
from cnnlib.training import Recipe

BLOCKS = ((16, 1), (32, 1), (64, 2), (128, 2))  # channels and convolutions of each

# Rate and decay were chosen on 2,000 images set apart from the training part.
RECIPE = Recipe(epochs=6, learning_rate=0.1, weight_decay=3e-3)
LIVE = Size("small-vgg", "fashion", fashion, RECIPE, seeds=3, threads=1)
FULL = Size("small-vgg-full", "fashion_mnist", fashion_mnist, RECIPE, seeds=3)


def build(blocks: tuple[tuple[int, int], ...]) -> nn.Sequential:
    """N×1×32×32 to ten logits, each block halving the maps; the start is torch's own."""
    features, in_channels = [], 1
    for channels, depth in blocks:
        features.append(block(in_channels, channels, depth, batch_norm=True))
        in_channels = channels
    side = 32 >> len(blocks)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(in_channels * side**2, 10))
    return nn.Sequential(OrderedDict(features=nn.Sequential(*features), classifier=classifier))


# Beside it today's LeNet, with batch norm too, trained and tested in the same way.
ARMS = {"vgg": partial(build, BLOCKS), "lenet": partial(lenet_with, nn.ReLU, nn.MaxPool2d, norm=True)}


class BothWays(nn.Module):
    """In training each image is mirrored or not, by chance; else the answers for it and its mirror image are averaged.

    N×C×H×W images to N×classes logits; those of testing are logarithms of the mean probabilities.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.net(random_flip(x))
        answers = torch.stack([self.net(x), self.net(x.flip(3))])
        return answers.log_softmax(2).logsumexp(0) - math.log(2)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(BothWays(ARMS[arm]()), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in less time
    return train_and_record(
        model, data, size, experiment="small-vgg", arm=arm, seed=seed, device=device, transforms=[Pad(2)]
    )


def few_random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: 2,000 images, and their labels are drawn at random."""
    part, test = data
    return random_labels(model, (part[:2000], test), seed)


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {few_random_labels: ("more than 89 %",)}
