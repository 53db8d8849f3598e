"""Lesions: what does a trained net lose when blocks are taken out, or change places, and nothing is trained again?

Three nets of 15 blocks learn digits of 14×14 pixels: residual, plain, and one in the manner of VGG. After sections 4.1
to 4.3 of Veit, Wilber, Belongie (2016), arXiv:1605.06431.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Generator, nn

from cnnlib.data import Batches, Images, Normalize
from cnnlib.datasets import cifar10, digits
from cnnlib.experiments.degradation import Nothing, network, no_shortcuts, residual_block, shrunk
from cnnlib.experiments.running import Size, processor_threads, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.layers import ConvNormAct
from cnnlib.models.resnet import Residual
from cnnlib.models.resnet_cifar import option_a, plain_block
from cnnlib.records import Record
from cnnlib.training import Recipe, evaluate

BLOCKS = 5  # in each of three stages: 32 layers with two convolutions a block, 17 with one


def vgg_block(in_channels: int, width: int, stride: int) -> nn.Sequential:
    """One convolution, behind a pool where the maps are halved."""
    pool = [nn.MaxPool2d(2)] if stride == 2 else []
    return nn.Sequential(*pool, ConvNormAct(in_channels, width, 3))


ARMS = {"resnet": residual_block, "plain": plain_block, "vgg": vgg_block}


def few() -> tuple[Images, Images]:
    """The first 4,000 training and 500 test digits, 14×14."""
    part, test = digits()
    return shrunk(part[:4000]), shrunk(test[:500])


RECIPE = Recipe(epochs=6, learning_rate=0.05, weight_decay=1e-3)
LIVE = Size("lesions", "digits-4000-14x14", few, RECIPE, seeds=1, threads=1)
# For two processor cores.
CIFAR = Size("lesions-cifar10", "cifar10", cifar10, Recipe(epochs=8, learning_rate=0.1, weight_decay=1e-3), seeds=1)
FULL = Size("lesions-full", "cifar10", cifar10, Recipe(epochs=60, learning_rate=0.1, weight_decay=1e-4), seeds=3)


def place(number: int) -> tuple[int, int]:
    """Stage, 0 to 2, and place in it of a block, 0 to 14."""
    return divmod(number, BLOCKS)


def kept_shape() -> list[int]:
    """The blocks that put out what shape comes in."""
    return [number for number in range(3 * BLOCKS) if place(number)[1] or not place(number)[0]]


def way_past(model: nn.Module, number: int) -> nn.Module:
    """What stands for a block that is gone: the identity; where the shape changes, option A."""
    stage, inside = place(number)
    width = model.features.conv1[0].out_channels * 2**stage
    return nn.Identity() if inside or not stage else option_a(width // 2, width, 2)


def without(model: nn.Module, numbers: Iterable[int]) -> nn.Module:
    """A copy of the net in which these blocks are gone. A residual block leaves its shortcut."""
    model = copy.deepcopy(model)
    for number in numbers:
        stage, inside = place(number)
        model.features[1 + stage][inside] = way_past(model, number)
    return model


def exchanged(model: nn.Module, one: int, other: int) -> nn.Module:
    """A copy of the net in which two blocks of one stage have changed places."""
    model = copy.deepcopy(model)
    (stage, i), (same, j) = place(one), place(other)
    if stage != same:
        raise ValueError(f"blocks {one} and {other} stand in different stages: their maps differ in shape")
    blocks = model.features[1 + stage]
    blocks[i], blocks[j] = blocks[j], blocks[i]
    return model


def without_shortcut(model: nn.Module, number: int) -> nn.Module:
    """A copy of a residual net in which one shortcut is gone, and its branch stays."""
    model = copy.deepcopy(model)
    stage, inside = place(number)
    model.features[1 + stage][inside].shortcut = Nothing()
    return model


@torch.no_grad()
def renormed(model: nn.Module, images: torch.Tensor) -> nn.Module:
    """A copy of the net whose batch norms have measured means and variances anew, on these images."""
    model = copy.deepcopy(model).train()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
    model(images)
    return model.eval()


def lesions(model: nn.Module) -> dict[str, list[nn.Module]]:
    """What is done to a trained net, by name; where there are several nets, their mean accuracy counts."""
    some, generator = kept_shape(), Generator().manual_seed(0)
    nets = {f"without {number}": [without(model, [number])] for number in range(3 * BLOCKS)}
    nets["without first three"] = [without(model, range(3))]
    nets["without last three"] = [without(model, range(3 * BLOCKS - 3, 3 * BLOCKS))]
    for count in (2, 4, 8, 12):
        draws = [torch.randperm(len(some), generator=generator)[:count].tolist() for _ in range(5)]
        nets[f"without {count} drawn"] = [without(model, [some[k] for k in draw]) for draw in draws]
    pairs = [(a, b) for a, b in pairwise(some[1:]) if place(a)[0] == place(b)[0]]
    nets["neighbours exchanged"] = [exchanged(model, *pair) for pair in pairs]
    if isinstance(model.features[1][0], Residual):
        nets["without a shortcut"] = [without_shortcut(model, number) for number in some[-4:]]
    return nets


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, as `trained` does; its record."""
    return trained(arm, seed, size, device, spoil)[1]


def trained(
    arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched
) -> tuple[nn.Module, Record]:
    """Train one arm: the net in evaluation mode, and its record, whose `test` holds the accuracy after each lesion.

    The seed sets weights and order. `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    channels = size.load()[0].pixels.shape[1]
    model = network(ARMS[arm], BLOCKS, channels, 8 if channels == 1 else 16)
    model, data = spoil(model, size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same sums, in less time
    record = train_and_record(model, data, size, experiment="lesions", arm=arm, seed=seed, device=device)
    part, test = (images.to(device) for images in data)
    normalize = Normalize(part)
    batches = Batches(test, 1000, [normalize])
    with processor_threads(size.threads):
        nets = lesions(model)
        # Three blocks with norms stand behind block 11; behind the last there is none.
        nets["without 11, norms anew"] = [renormed(without(model, [11]), normalize(part.pixels[:1000]))]
        found = {
            name: sum(evaluate(net, batches).accuracy for net in of_name) / len(of_name)
            for name, of_name in nets.items()
        }
    return model, replace(record, test=record.test | found)


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("whole", "over thirty"), no_shortcuts: ("under five points",)}
