"""The pixel-shuffle test: what does a convolution take for granted?

An MLP and a CNN of equal size learn from images whose pixels were moved: by one permutation for all images, inside
small blocks, or by a new permutation for every image. After Canziani's exercise in the NYU deep learning course (2020).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Generator, Tensor, nn

from cnnlib import models
from cnnlib.data import Images
from cnnlib.datasets import cifar10, digits, fashion_mnist
from cnnlib.experiments.running import Size, train_and_record
from cnnlib.records import Record
from cnnlib.training import Recipe


@dataclass(frozen=True)
class Arm:
    """A network, and how the pixels of its images are moved: "none", "all", "each" or "inside4", "inside7"."""

    network: Callable
    shuffle: str


ARMS = {
    f"{network.__name__}-{shuffle}": Arm(network, shuffle)
    for network, shuffles in {
        models.mlp: ("none", "all", "each"),
        models.cnn: ("none", "inside4", "inside7", "all", "each"),
    }.items()
    for shuffle in shuffles
}

LIVE = Size("pixel-shuffle", "digits", digits, Recipe(epochs=3, learning_rate=0.03), seeds=5, threads=1)
FULL = Size(
    "pixel-shuffle-full", "fashion_mnist", fashion_mnist, Recipe(epochs=10, learning_rate=0.05, batch_size=128), seeds=3
)
SEVEN = ("cnn-inside7",)  # does not divide 32
CIFAR = Size("pixel-shuffle-cifar10", "cifar10", cifar10, FULL.recipe, seeds=3, without=SEVEN, threads=1)


def built(network: Callable, images: Images) -> nn.Module:
    """The network for these images. For photographs in colour both are larger: 62,090 and 62,006 parameters."""
    _, channels, side, _ = images.pixels.shape
    if channels == 3:
        network = partial(models.mlp, units=20) if network is models.mlp else with_lenet_s_sizes
    return network(in_channels=channels, image_size=side, num_classes=len(images.classes))


def with_lenet_s_sizes(in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """Today's LeNet, for images of 32×32."""
    return models.lenet_cifar(in_channels, num_classes)


def permutation(shuffle: str, side: int, generator: Generator) -> Tensor:
    """Where each of the side×side pixels comes from: one index per position, the same for every image.

    ValueError for blocks that do not tile the image.
    """
    positions = torch.arange(side * side).view(side, side)
    if shuffle == "none":
        return positions.flatten()
    block = side if shuffle == "all" else int(shuffle.removeprefix("inside"))
    if side % block:
        raise ValueError(f"blocks of {block}×{block} pixels do not tile images of {side}×{side}: leave out this arm")
    inside = torch.randperm(block * block, generator=generator)
    blocks = positions.unfold(0, block, block).unfold(1, block, block)  # block row, block column, row, column
    moved = blocks.flatten(2)[:, :, inside].unflatten(2, (block, block))
    return moved.transpose(1, 2).flatten()


def shuffled(images: Images, shuffle: str, seed: int) -> Images:
    """The images with their pixels moved, all channels alike. One seed, one permutation."""
    pixels = images.pixels.flatten(2)
    if shuffle == "each":
        # The length in the seed: training and test part must not share their permutations.
        generator = Generator().manual_seed(seed + len(images))
        order = torch.rand(len(images), 1, pixels.shape[2], generator=generator).argsort(2)
        moved = pixels.gather(2, order.expand_as(pixels).to(pixels.device))
    else:
        order = permutation(shuffle, images.pixels.shape[2], Generator().manual_seed(seed))
        moved = pixels[:, :, order.to(pixels.device)]
    return replace(images, pixels=moved.view_as(images.pixels))


def run(arm: str, seed: int, size: Size, device: torch.device, prepare: Callable = shuffled) -> Record:
    """Train one arm; the seed sets weights, order and permutation. `prepare` moves the pixels of both parts."""
    network, shuffle = ARMS[arm].network, ARMS[arm].shuffle
    data = tuple(prepare(images, shuffle, seed) for images in size.load())
    torch.manual_seed(seed)
    model = built(network, data[0])
    return train_and_record(model, data, size, experiment="pixel-shuffle", arm=arm, seed=seed, device=device)


def identity(images: Images, shuffle: str, seed: int) -> Images:
    """Sabotage: no pixel moves."""
    return images


def all_as_each(images: Images, shuffle: str, seed: int) -> Images:
    """Sabotage: where one permutation was promised for all images, every image gets its own."""
    return shuffled(images, "each" if shuffle == "all" else shuffle, seed)


def random_labels(images: Images, shuffle: str, seed: int) -> Images:
    """Sabotage: the labels are drawn at random."""
    order = torch.randperm(len(images), generator=Generator().manual_seed(seed))
    return replace(shuffled(images, shuffle, seed), labels=images.labels[order])


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {
    identity: ("costs the CNN", "further pixels move", "Blocks of 7×7", "The whole image", "of its own"),
    all_as_each: ("does not notice",),
    random_labels: ("On ordinary digits",),
}
