"""What torch's errors about shapes and labels mean, in a sentence that says what to do."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SIZES = (28, 32, 64, 96, 128, 224, 227, 299)  # the image sizes that a wrong one is compared with


@contextmanager
def explaining(model: nn.Module, images: Tensor, labels: Tensor | None = None) -> Iterator[None]:
    """Inside, torch's errors about size, channels, types, labels or a batch of one are raised as ValueError with a
    remedy.
    """
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
    if "device-side assert" in text:  # first: after it, no tensor of the device can be read
        return "A label is out of range. To see which, set CNNLIB_DEVICE=cpu and restart the kernel."
    if isinstance(error, torch.OutOfMemoryError):
        return None
    if images.ndim != 4:
        shape = "×".join(map(str, images.shape))
        return f"{name} takes batches of shape N×C×H×W; this one is {shape}. For one image write images[None]."
    if "Expected more than 1 value per channel" in text:
        return "Batch norm cannot train on one image: use a larger batch, or model.eval() to look at a single one."
    if about_types(text) and not images.is_floating_point():
        remedy = "put Normalize(train part) among the batch's transforms"
        return f"{name} takes floats; these are {images.dtype}: {remedy}."
    if about_types(text) and images.dtype != (wanted := type_of(model)):
        return f"{name} computes in {wanted}, these images are {images.dtype}: write images.to({wanted})."
    if labels is not None and (sentence := about_labels(text, name, images, labels)):
        return sentence
    return None if accepts(model, *images.shape[1:]) else misfit(model, *images.shape[1:])


def about_types(text: str) -> bool:
    """Does the error speak of a tensor's type?"""
    return any(words in text for words in ("dtype", "Input type", "scalar type", "not implemented for"))


def type_of(model: nn.Module) -> torch.dtype:
    """In which type the model computes: that of its first parameter."""
    return next((p.dtype for p in model.parameters()), torch.float32)


def about_labels(text: str, name: str, images: Tensor, labels: Tensor) -> str | None:
    """What is wrong with the labels, if the error speaks of them."""
    if "target" in text and labels.shape != images.shape[:1]:
        found = "×".join(map(str, labels.shape))
        return f"{len(images)} images need {len(images)} labels, one number each; these are {found}."
    if about_types(text) and labels.dtype != torch.int64:
        return f"Labels must be whole numbers of type torch.int64; these are {labels.dtype}: write labels.long()."
    if "Target" in text and "out of bounds" in text:
        low, high = int(labels.min()), int(labels.max())
        if low < 0:
            return f"The labels begin at 0; the smallest here is {low}."
        remedy = f"Count them from 0, and build it with num_classes={high + 1} if its constructor has that."
        return f"The labels run from {low} to {high}, and {name} tells fewer classes. {remedy}"
    return None


def misfit(model: nn.Module, channels: int, height: int, width: int) -> str | None:
    """Which images the model takes instead of these; None if it takes none, for then something else is wrong."""
    name, model = type(model).__name__, on_meta(model)
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    wanted = first.in_channels if first else channels
    if wanted != channels:
        if not any(fits(model, wanted, size, size) for size in reversed(SIZES)):
            return None
        repeat = f"images.expand(-1, {wanted}, -1, -1) makes {wanted} of one; or " if channels == 1 else ""
        remedy = f"{repeat}build it with in_channels={channels} if its constructor has that."
        return f"{name} takes {wanted} channel(s), these images have {channels}: {remedy}"
    choices = (channels,) if first else sorted({1, 3, channels})
    sizes = [f"{c}×{size}×{size}" for c in choices for size in SIZES if fits(model, c, size, size)]
    if not sizes:
        return None
    tried = "Of the sizes tried it takes" if len(sizes) > 1 else "It takes"
    padded = (height, width) == (28, 28) and f"{channels}×32×32" in sizes
    pad = " Pad(2) among the batch's transforms makes 32×32 of 28×28." if padded else ""
    return f"{name} does not fit images of {channels}×{height}×{width}. {tried} {', '.join(sizes)}.{pad}"


def accepts(model: nn.Module, channels: int, height: int, width: int) -> bool:
    """Whether the model, with any auxiliary classifiers, takes images of this shape: found out without arithmetic."""
    return fits(on_meta(model), channels, height, width)


def fits(model: nn.Module, channels: int, height: int, width: int) -> bool:
    """The same for a model that is on the meta device already, where there are shapes only."""

    def look(head: nn.Module):
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            head(output.clone())

        return hook

    heads = dict(getattr(model, "heads", {}).items())
    handles = [model.features.get_submodule(name).register_forward_hook(look(head)) for name, head in heads.items()]
    try:
        model.eval()(torch.empty(1, channels, height, width, dtype=type_of(model), device="meta"))
    except (RuntimeError, ValueError, IndexError):
        return False
    finally:
        for handle in handles:
            handle.remove()
    return True


def on_meta(model: nn.Module) -> nn.Module:
    """A copy of the model on the meta device, which knows shapes only; its weights are not copied on the way."""
    memo = {id(p): nn.Parameter(p.detach().to("meta"), p.requires_grad) for p in model.parameters()}
    memo |= {id(b): b.detach().to("meta") for b in model.buffers()}
    return copy.deepcopy(model, memo)
