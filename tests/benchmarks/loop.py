"""How fast `train` feeds a network: LeNet on Fashion-MNIST, batches of 256, evaluation not counted.

Against its limit, the steps alone on one batch that is there already, and against torchvision's data set and transforms
in a DataLoader with the usual loop.
"""

import struct
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Generator
from torch.nn import functional as F
from torch.optim import SGD
from torch.utils.data import DataLoader

from cnnlib.data import Batches, Images, Normalize, Pad
from cnnlib.datasets import DataError, fashion, fashion_mnist
from cnnlib.models import lenet
from cnnlib.training import Recipe, default_device, train
from cnnlib.vision import torchvision
from tests.benchmarks.rounds import ratio, rounds

RECIPE = Recipe(epochs=1, learning_rate=0.05, batch_size=256)


def ours(images: Images) -> float:
    """Images per second through `train`."""
    batches = Batches(
        images, RECIPE.batch_size, [Pad(2), Normalize(images)], Generator(images.pixels.device).manual_seed(0)
    )
    (epoch,) = train(lenet().to(images.pixels.device), batches, RECIPE)
    return len(images) / epoch.seconds


def limit(images: Images) -> float:
    """Images per second of forward, backward and step on one resident batch."""
    device = images.pixels.device
    model = lenet().to(device)
    optimizer = SGD(model.parameters(), RECIPE.learning_rate, RECIPE.momentum, nesterov=True)
    batch, labels = next(iter(Batches(images, RECIPE.batch_size, [Pad(2), Normalize(images)])))
    steps = len(images) // RECIPE.batch_size
    start = time.perf_counter()
    for _ in range(steps):
        loss = F.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return steps * RECIPE.batch_size / (time.perf_counter() - start)


def usual(folder: str, workers: int, device: torch.device) -> float:
    """Images per second of the usual loop over a DataLoader."""
    transforms = torchvision().transforms
    steps = transforms.Compose([transforms.ToTensor(), transforms.Pad(2), transforms.Normalize(0.286, 0.353)])
    dataset = torchvision().datasets.FashionMNIST(folder, train=True, transform=steps)
    loader = DataLoader(dataset, RECIPE.batch_size, shuffle=True, num_workers=workers)
    model = lenet().to(device).train()
    optimizer = SGD(model.parameters(), RECIPE.learning_rate, RECIPE.momentum, nesterov=True)
    start = time.perf_counter()
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return len(dataset) / (time.perf_counter() - start)


def write_idx(images: Images, folder: str) -> None:
    """The files that torchvision's FashionMNIST reads."""
    raw = Path(folder, "FashionMNIST", "raw")
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        header = struct.pack(">iiii", 2051, len(images), 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.pixels.numpy().tobytes())
        labels = struct.pack(">ii", 2049, len(images)) + images.labels.to(torch.uint8).numpy().tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def main() -> None:
    """Print the rates and their ratios."""
    device = default_device()
    try:
        images = fashion_mnist()[0]
    except DataError as error:
        print(f"loop: {error} Measured on the embedded part instead.")
        images = fashion()[0]
    with tempfile.TemporaryDirectory() as folder:
        write_idx(images, folder)
        there = images.to(device)
        rates = rounds(
            {
                "train": partial(ours, there),
                "limit": partial(limit, there),
                "DataLoader, 0 workers": partial(usual, folder, 0, device),
                "DataLoader, 2 workers": partial(usual, folder, 2, device),
            }
        )
    print(f"loop: LeNet, {len(images):,} images in batches of 256 on {device}; images per second, median of nine")
    for name, values in rates.items():
        print(f"    {name:<24}{median(values):10,.0f}   train is {ratio(rates['train'], values)} times this")
