"""How fast ResNet-20 trains on photographs of 32×32 pixels that are mirrored and shifted, batches of 128.

`train` against its limit, the steps alone on one batch that is there already, and against the usual pipeline: a
DataLoader with torchvision's transforms, one PIL image at a time, and the usual loop. Then, where CIFAR-10 is at hand,
how long the speed network trains, and whether it then reads 82.92 % of the test images. Evaluation is not counted.
What computes in bfloat16 is measured in mixed precision, too.
"""

import time
from dataclasses import replace
from functools import partial
from statistics import median

import torch
from torch import Generator, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.utils.data import DataLoader, Dataset

from cnnlib.data import Batches, Images, Normalize, random_crop, random_flip
from cnnlib.datasets import DataError
from cnnlib.experiments import speed
from cnnlib.experiments.running import Size, name_of
from cnnlib.models import resnet20_cifar
from cnnlib.training import Recipe, default_device, mixed_precision, train
from cnnlib.vision import torchvision
from tests.benchmarks.rounds import ratio, rounds

RECIPE = Recipe(epochs=1, learning_rate=0.05, batch_size=128)
IMAGES = 20 * RECIPE.batch_size  # of one measurement
PAIRS = 5
GOAL = 0.8292


class Pictures(Dataset):
    """PIL images, transformed when they are asked for: as torchvision's CIFAR10 does it."""

    def __init__(self, images: Images, transform) -> None:
        self.pixels, self.labels = images.pixels.permute(0, 2, 3, 1).cpu().numpy(), images.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int):
        from PIL import Image

        return self.transform(Image.fromarray(self.pixels[place])), self.labels[place]


def network(device: torch.device, last: bool) -> nn.Module:
    """ResNet-20; with channels last, as the experiments have it, or as torch puts them."""
    return resnet20_cifar().to(device, memory_format=torch.channels_last if last else torch.contiguous_format)


def in_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16; a processor that does not is slower in mixed precision."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = getattr(torch.cpu, "get_capabilities", dict)()
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def ours(images: Images, bfloat16: bool = False) -> float:
    """Images per second through `train`."""
    device = images.pixels.device
    steps = [random_flip, random_crop, Normalize(images)]
    batches = Batches(images, RECIPE.batch_size, steps, Generator(device).manual_seed(0))
    (epoch,) = train(network(device, last=True), batches, replace(RECIPE, bfloat16=bfloat16))
    return len(images) / epoch.seconds


def limit(images: Images, bfloat16: bool = False) -> float:
    """Images per second of forward, backward and step on one resident batch."""
    device = images.pixels.device
    model = network(device, last=True)
    optimizer = SGD(model.parameters(), RECIPE.learning_rate, RECIPE.momentum, nesterov=True)
    batch, labels = next(iter(Batches(images, RECIPE.batch_size, [Normalize(images)])))
    start = time.perf_counter()
    for _ in range(len(images) // RECIPE.batch_size):
        with mixed_precision(device, bfloat16):
            loss = F.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return len(images) / (time.perf_counter() - start)


def usual(images: Images, workers: int) -> float:
    """Images per second of the usual loop over a DataLoader."""
    transforms, device = torchvision().transforms, images.pixels.device
    steps = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, padding=4), transforms.ToTensor()]
    steps.append(transforms.Normalize((0.491, 0.482, 0.447), (0.247, 0.243, 0.262)))
    dataset = Pictures(images, transforms.Compose(steps))
    loader = DataLoader(dataset, RECIPE.batch_size, shuffle=True, num_workers=workers)
    model = network(device, last=False).train()
    optimizer = SGD(model.parameters(), RECIPE.learning_rate, RECIPE.momentum, nesterov=True)
    total, start = 0.0, time.perf_counter()
    for batch, labels in loader:
        batch, labels = batch.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return len(dataset) / (time.perf_counter() - start)


def noise() -> Images:
    """Images of noise: for the speed it is all one."""
    pixels = torch.randint(0, 256, (IMAGES, 3, 32, 32), generator=Generator().manual_seed(0), dtype=torch.uint8)
    return Images(pixels, torch.arange(IMAGES) % 10, tuple("abcdefghij"))


def main() -> None:
    """Print the rates and their ratios, then how long the speed networks train for 82.92 %."""
    device = default_device()
    there = noise().to(device)
    precisions = {"float32": False, "bfloat16": True} if in_bfloat16(device) else {"float32": False}
    ways = {f"train, {name}": partial(ours, there, bfloat16) for name, bfloat16 in precisions.items()}
    ways |= {f"limit, {name}": partial(limit, there, bfloat16) for name, bfloat16 in precisions.items()}
    ways |= {f"DataLoader, {workers} workers": partial(usual, there, workers) for workers in (0, 2)}
    rates = rounds(ways, PAIRS)
    print(
        f"photographs: ResNet-20, {IMAGES:,} images in batches of {RECIPE.batch_size}, mirrored and shifted, on "
        f"{name_of(device)}; images per second, median of {PAIRS}"
    )
    for name, values in rates.items():
        print(f"    {name:<24}{median(values):10,.0f}")
        for precision in precisions:
            if name == f"limit, {precision}" or name.startswith("DataLoader"):
                mine = f"train, {precision}"
                print(f"        {mine} is {ratio(rates[mine], values)} times this")
    try:
        speed.FULL.load()
    except DataError as error:
        print(f"    the speed network was not trained: {error}")
        return
    for bfloat16 in precisions.values():
        for arm in ("narrow", "narrow-fixed", "narrow-lean"):
            train_for_goal(arm, speed.FULL.changed(bfloat16=bfloat16), device)


def train_for_goal(arm: str, size: Size, device: torch.device) -> None:
    """Print how long a speed network trains in all, and whether it then reads as many images as it should."""
    run = speed.run(arm, 0, size, device)
    reached = "reached" if run.accuracy >= GOAL else "not reached"
    precision = "bfloat16" if run.recipe["bfloat16"] else "float32"
    print(
        f"    speed network {arm}, {run.recipe['epochs']} epochs in {precision} on {run.device}: "
        f"{run.accuracy:.2%} after {run.seconds:.0f} s of training; {GOAL:.2%} {reached}"
    )
