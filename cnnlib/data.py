"""Images in memory, the batches a network trains on, and what happens to a batch on its way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Images:
    """A set of images as bytes, with one label each, wholly in memory.

    `pixels` is uint8 of shape N×C×H×W, `labels` int64 of shape N with values 0 to len(classes) - 1.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4:
            got = f"{self.pixels.dtype} of shape {tuple(self.pixels.shape)}"
            raise ValueError(f"pixels must be bytes (uint8) of shape N×C×H×W; these are {got}")
        if self.labels.shape != self.pixels.shape[:1] or self.labels.dtype != torch.int64:
            got = f"{self.labels.dtype} of shape {tuple(self.labels.shape)}"
            raise ValueError(f"{len(self.pixels)} images need as many int64 labels; these are {got}")
        if len(self) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < len(self.classes):
            span = f"{int(self.labels.min())} to {int(self.labels.max())}"
            raise ValueError(
                f"labels run from {span}, but there are {len(self.classes)} classes: 0 to {len(self.classes) - 1}"
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice | Tensor) -> "Images":
        """A slice, a mask or a tensor of indices gives the images there."""
        return replace(self, pixels=self.pixels[part], labels=self.labels[part])

    def to(self, device: torch.device | str) -> "Images":
        """The same images on another device."""
        return replace(self, pixels=self.pixels.to(device), labels=self.labels.to(device))

    def split(self, size: int, seed: int = 0) -> tuple["Images", "Images"]:
        """Two parts: all but `size` images, and `size` images drawn at random. One seed, one split."""
        if not 0 < size < len(self):
            raise ValueError(
                f"cannot set {size} of {len(self)} images apart: take a number between 1 and {len(self) - 1}"
            )
        order = torch.randperm(len(self), generator=Generator().manual_seed(seed)).to(self.pixels.device)
        return self[order[size:]], self[order[:size]]

    def fingerprint(self) -> str:
        """The first 16 digits of the SHA-256 of pixels and labels: equal for equal data, whatever the file."""
        digest = sha256(self.pixels.cpu().contiguous().numpy())
        digest.update(self.labels.cpu().contiguous().numpy())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Batches:
    """One pass over the images for each `iter`: (transformed images, labels), the last batch perhaps shorter.

    With a generator every pass has an order of its own; without one the images keep theirs.
    """

    images: Images
    size: int
    transforms: Sequence[Transform]
    generator: Generator | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a batch needs at least one image; this size is {self.size}")

    def __len__(self) -> int:
        return -(-len(self.images) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        pixels, labels = self.images.pixels, self.images.labels
        if self.generator is None:
            batches = zip(pixels.split(self.size), labels.split(self.size))
        else:
            order = torch.randperm(len(labels), generator=self.generator, device=self.generator.device)
            batches = ((pixels[part], labels[part]) for part in order.to(pixels.device).split(self.size))
        for batch, answers in batches:
            for transform in self.transforms:
                batch = transform(batch)
            yield batch, answers


class Normalize:
    """Bytes to floats with mean 0 and standard deviation 1 in each channel of `reference` (the training part).

    It follows the pixels to their device. A channel of one value has deviation 0, which counts as 1.
    """

    def __init__(self, reference: Images) -> None:
        # In parts: a float64 copy of a whole data set would take eight times its memory.
        parts = [part.double() for part in reference.pixels.cpu().split(4096)]
        count = sum(part[:, :1].numel() for part in parts)
        self.mean = sum(part.sum((0, 2, 3)) for part in parts) / count
        squares = sum((part - self.mean[:, None, None]).square().sum((0, 2, 3)) for part in parts)
        self.std = (squares / count).sqrt()
        divisor = self.std.where(self.std > 0, 1.0)  # a channel of one value becomes 0, not NaN
        self.shift, self.scale = (t.float()[:, None, None].to(reference.pixels.device) for t in (self.mean, divisor))

    def __call__(self, pixels: Tensor) -> Tensor:
        if self.shift.device != pixels.device:
            self.shift, self.scale = self.shift.to(pixels.device), self.scale.to(pixels.device)
        return (pixels - self.shift) / self.scale

    def __repr__(self) -> str:
        mean, std = (", ".join(f"{value:.1f}" for value in values) for values in (self.mean, self.std))
        return f"Normalize(mean {mean}, deviation {std}, in bytes)"


@dataclass(frozen=True)
class Pad:
    """A border of `width` black pixels on every side: Pad(2) makes 32×32 of 28×28."""

    width: int

    def __call__(self, pixels: Tensor) -> Tensor:
        return F.pad(pixels, [self.width] * 4)


def random_flip(images: Tensor, generator: Generator | None = None) -> Tensor:
    """Mirror each image of the batch left to right with probability one half, each on its own."""
    coin = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device) < 0.5
    return torch.where(coin, images.flip(3), images)


def random_crop(images: Tensor, padding: int = 4, generator: Generator | None = None) -> Tensor:
    """Shift each image on its own by up to `padding` pixels each way, black moving in: pad, then cut out."""
    count, _, height, width = images.shape
    windows = F.pad(images, [padding] * 4).unfold(2, height, 1).unfold(3, width, 1)  # N, C, row, column, H, W
    rows, columns = torch.randint(2 * padding + 1, (2, count), generator=generator, device=images.device)
    return windows[torch.arange(count, device=images.device), :, rows, columns]


def cutout(images: Tensor, size: int = 8, generator: Generator | None = None) -> Tensor:
    """Black out a square of `size` pixels a side of each image, wherever in it the square has room.

    After T. DeVries and G. W. Taylor (2017), arXiv:1708.04552, whose squares may lie partly outside and have the mean
    colour. Raises ValueError if there is no room for the square.
    """
    if size > min(images.shape[2:]):
        raise ValueError(f"a square of {size} pixels has no room in images of {images.shape[2]}×{images.shape[3]}")
    count, _, height, width = images.shape
    room = torch.tensor([[height], [width]], device=images.device) - size + 1
    top, left = (torch.rand(2, count, generator=generator, device=images.device) * room).long()[..., None]
    rows, columns = (torch.arange(side, device=images.device) for side in (height, width))
    down, across = (top <= rows) & (rows < top + size), (left <= columns) & (columns < left + size)  # N×H, N×W
    return images.masked_fill(down[:, None, :, None] & across[:, None, None, :], 0)
