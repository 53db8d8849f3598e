"""What torch's errors about shapes and labels mean, in a sentence that says what to do."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SIZES = (28, 32, 64, 96, 128, 224, 227, 299)  # the image sizes that a wrong one is compared with


@contextmanager
def explaining(model: nn.Module, images: Tensor, labels: Tensor | None = None) -> Iterator[None]:
    """Inside, torch's errors about size, channels, labels or a batch of one are raised as ValueError with a remedy."""
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        sentence = explanation(error, model, images, labels)
        if sentence is None:
            raise
        raise ValueError(sentence) from error


def explanation(error: Exception, model: nn.Module, images: Tensor, labels: Tensor | None) -> str | None:
    """A sentence for the errors that readers meet; None for all others."""
    name, text = type(model).__name__, str(error)
    if images.ndim != 4:
        shape = "×".join(map(str, images.shape))
        return f"{name} takes batches of shape N×C×H×W; this one is {shape}. For one image write images[None]."
    if "Expected more than 1 value per channel" in text:
        return "Batch norm cannot train on one image: use a larger batch, or model.eval() to look at a single one."
    if "Target" in text and "out of bounds" in text and labels is not None:
        low, high = int(labels.min()), int(labels.max())
        return f"The labels run from {low} to {high}: {name} needs num_classes={high + 1}, and labels from 0 upwards."
    if not accepts(model, *images.shape[1:]):
        return misfit(model, *images.shape[1:])
    return None


def misfit(model: nn.Module, channels: int, height: int, width: int) -> str:
    """Which images the model takes instead of these."""
    name = type(model).__name__
    wanted = next((m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d)), channels)
    if wanted != channels:
        return f"{name} takes {wanted} channel(s), these images have {channels}: build it with in_channels={channels}."
    sizes = [f"{c}×{size}×{size}" for c in (1, 3) for size in SIZES if accepts(model, c, size, size)]
    takes = f"It takes {' or '.join(sizes)}." if sizes else "No usual size fits it: print its layers and count."
    pad = " Pad(2) among the batch's transforms makes 32×32 of 28×28." if f"{channels}×32×32" in sizes else ""
    return f"{name} does not fit images of {channels}×{height}×{width}. {takes}{pad}"


def accepts(model: nn.Module, channels: int, height: int, width: int) -> bool:
    """Whether the model takes images of this shape, found out on the meta device: shapes only, no arithmetic."""
    try:
        copy.deepcopy(model).to("meta").eval()(torch.empty(1, channels, height, width, device="meta"))
    except (RuntimeError, ValueError):
        return False
    return True
