"""The ladder: the 32×32 net of every family, one after the other, by one recipe. Does each step of the history climb?

Fourteen nets for 32×32 pixels as their files describe them, on CIFAR-10 as it is (nothing mirrored, nothing moved).
One peak rate for all, 0.01: NiN of 2013 leaves chance with no larger one, see `cnnlib.models.nin`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from cnnlib import records
from cnnlib.data import Images, Pad
from cnnlib.datasets import cifar10, fashion
from cnnlib.experiments.running import Size, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.experiments.tournament import densenet22
from cnnlib.models import MODELS
from cnnlib.records import Record
from cnnlib.training import Recipe

# `densenet_cifar` trains for over an hour on two cores, so a rung with half its layers stands before it.
NETS = MODELS | {"densenet22": densenet22}

# A rung is a network of NETS, and its name in pictures.
ARMS = {
    "lenet_cifar": "LeNet, 1998",
    "alexnet_cifar": "AlexNet, 2012",
    "zfnet_cifar": "ZFNet, 2013",
    "nin_cifar": "NiN, 2013",
    "vgg_cifar": "VGG, 2014",
    "googlenet_cifar": "GoogLeNet, 2014",
    "inception_v3_cifar": "Inception v3, 2015",
    "plain56_cifar": "plain, 56 layers, 2015",
    "resnet20_cifar": "ResNet-20, 2015",
    "resnet56_cifar": "ResNet-56, 2015",
    "densenet22": "DenseNet-22, 2016",
    "densenet_cifar": "DenseNet-40, 2016",
    "mnasnet_cifar": "MnasNet, 2018",
    "efficientnet_cifar": "EfficientNet, 2019",
}

RECIPE = Recipe(epochs=8, learning_rate=0.01)
LIVE = Size("ladder", "fashion", fashion, replace(RECIPE, epochs=2), seeds=3)
FULL = Size("ladder-full", "cifar10", cifar10, RECIPE, seeds=3)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one rung; smaller images are padded to 32×32. The seed sets weights and order. `spoil` may change all."""
    part, test = size.load()
    torch.manual_seed(seed)
    model, data = spoil(NETS[arm](part.pixels.shape[1], len(part.classes)), (part, test), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in less time
    return train_and_record(
        model, data, size, experiment="ladder", arm=arm, seed=seed, device=device, transforms=padding(part)
    )


def padding(images: Images) -> list[Pad]:
    """What makes images of 28×28 into 32×32, and leaves those of 32×32 alone."""
    missing = (32 - images.pixels.shape[-1]) // 2
    return [Pad(missing)] if missing else []


def recorded(*arms: str, runs: Path = records.RUNS) -> dict[str, list[Record]]:
    """The recorded runs of these rungs on CIFAR-10, in their order; for those without, a line says how to make them.

    In 32 bits where there are such runs, else in mixed precision: the deeper nets were trained in that, to save time.
    """
    there = records.read_all(FULL.changed(bfloat16=True).name, runs) | records.read_all(FULL.name, runs)
    found = {arm: there[arm] for arm in arms if arm in there}
    if missing := [arm for arm in arms if arm not in found]:
        print(f"not recorded yet: to do so, python -m cnnlib run ladder --full --arms {' '.join(missing)}")
    return found


def prices(found: Mapping[str, Sequence[Record]]) -> str:
    """A line for each rung: parameters, multiply-adds of an image, what its first run names right in its last pass."""
    width = max(len(ARMS[arm]) for arm in found) + 1 if found else 0
    lines = []
    for arm, (one, *_) in found.items():
        price = f"{one.parameters:8,} parameters, {one.macs / 1e6:6.1f} million multiply-adds"
        lines.append(f"{ARMS[arm]:{width}}{price}, right in training {one.epochs[-1]['accuracy']:.0%}")
    return "\n".join(lines)


# Which claims about these runs each sabotage must turn, by words of their sentences: no chapter trains a rung.
SABOTAGES = {random_labels: ()}
