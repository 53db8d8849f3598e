"""The training loop: a recipe in, one record of every epoch out."""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from cnnlib import parallel
from cnnlib.checkpoints import Checkpoint
from cnnlib.errors import explaining

Loss = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]


class Diverged(ArithmeticError):
    """The loss stopped being a number; the message says when and what to try."""


@dataclass(frozen=True)
class Recipe:
    """How to train: SGD with Nesterov momentum, its learning rate rising to a peak and falling to zero (one cycle)."""

    epochs: int
    learning_rate: float  # at the peak
    batch_size: int = 64
    momentum: float = 0.9
    weight_decay: float = 0.0
    bfloat16: bool = False  # mixed precision

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"a recipe needs at least one epoch; this one has epochs={self.epochs}")
        if self.batch_size < 1:
            raise ValueError(f"a batch needs at least one image; this recipe has batch_size={self.batch_size}")
        if not self.learning_rate > 0:
            raise ValueError(f"the learning rate must be above 0; this recipe has learning_rate={self.learning_rate}")


@dataclass(frozen=True)
class Metrics:
    """Mean loss and share of right answers (0 to 1) over the images of one pass."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images reached. `seconds` leaves the validation out."""

    number: int
    total: int
    train: Metrics
    valid: Metrics | None
    seconds: float

    def __str__(self) -> str:
        valid = f", validation accuracy {self.valid.accuracy:.1%}" if self.valid else ""
        return f"epoch {self.number} of {self.total}: training loss {self.train.loss:.3f}{valid}"

    @classmethod
    def of(cls, row: dict) -> "Epoch":
        """The epoch that `asdict` made this row of."""
        valid = row["valid"] and Metrics(**row["valid"])
        return cls(**row | {"train": Metrics(**row["train"]), "valid": valid})


class Tally:
    """Sums of a pass, kept on the device and read once: no waiting for the device at every step."""

    def __init__(self) -> None:
        self.loss: Tensor | float = 0.0
        self.correct: Tensor | int = 0
        self.images = 0

    def add(self, mean_loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        # Weighted by the batch's size: the last batch may be shorter.
        self.loss = self.loss + mean_loss.detach() * len(labels)
        self.correct = self.correct + (logits.detach().argmax(1) == labels).sum()
        self.images += len(labels)

    def means(self) -> Metrics:
        if not self.images:
            raise ValueError("there were no images to measure on")
        return Metrics(float(self.loss) / self.images, int(self.correct) / self.images)

    def gather(self, device: torch.device) -> None:
        """Add what the other processes counted, where several train one model."""
        self.loss, self.correct, self.images = parallel.sums([float(self.loss), int(self.correct), self.images], device)


def cross_entropy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of the model's logits, and the logits."""
    logits = model(images)
    return F.cross_entropy(logits, labels), logits


def train(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    recipe: Recipe,
    valid: Iterable[tuple[Tensor, Tensor]] | None = None,
    *,
    loss: Loss = cross_entropy,
    checkpoint: Checkpoint | None = None,
) -> Iterator[Epoch]:
    """Train, yielding what each epoch reached: the caller prints, plots, keeps or stops.

    `batches` is anything with a length that yields (images N×C×H×W, labels N): `Batches` or a DataLoader.
    With a checkpoint, epochs that it has are yielded first and not trained again; each new one is written to it.
    Raises ValueError with a remedy for images or labels that do not fit, Diverged when the loss is not a number.
    """
    device, steps = device_of(model), recipe.epochs * length(batches)
    losing, batches = parallel.together(model, loss), parallel.share(batches)
    optimizer = SGD(
        model.parameters(),
        recipe.learning_rate,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.momentum > 0,
    )
    # cycle_momentum would overwrite the recipe's momentum.
    schedule = OneCycleLR(optimizer, recipe.learning_rate, steps, cycle_momentum=False)
    parts, order = {"model": model, "optimizer": optimizer, "schedule": schedule}, getattr(batches, "generator", None)
    rows = checkpoint.restore(parts, order) if checkpoint else []
    yield from map(Epoch.of, rows)
    for number in range(len(rows) + 1, recipe.epochs + 1):
        model.train()
        tally, start = Tally(), time.perf_counter()
        for images, labels in batches:
            images, labels = images.to(device), labels.to(device)
            with explaining(model, images, labels), mixed_precision(device, recipe.bfloat16):
                mean_loss, logits = losing(images, labels)
            optimizer.zero_grad()
            mean_loss.backward()
            optimizer.step()
            schedule.step()
            tally.add(mean_loss, logits, labels)
        tally.gather(device)
        reached = tally.means()
        seconds = time.perf_counter() - start
        if not math.isfinite(reached.loss):
            raise Diverged(
                f"The training loss became {reached.loss} in epoch {number}: the steps were too long. Try "
                f"a smaller learning rate than {recipe.learning_rate:g}, and look whether the images are normalised."
            )
        epoch = Epoch(number, recipe.epochs, reached, evaluate(model, valid) if valid is not None else None, seconds)
        if checkpoint:
            rows.append(asdict(epoch))
            checkpoint.save(rows, parts, order)
        yield epoch


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Metrics:
    """Mean loss and accuracy over the batches. Leaves the model in evaluation mode."""
    device = device_of(model)
    model.eval()
    tally = Tally()
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        with explaining(model, images, labels):
            tally.add(*cross_entropy(model, images, labels), labels)
    return tally.means()


def device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters are; ValueError if it has none."""
    parameter = next(model.parameters(), None)
    if parameter is None:
        raise ValueError(f"{type(model).__name__} has no parameters: there is nothing to train")
    return parameter.device


def length(batches: Iterable[tuple[Tensor, Tensor]]) -> int:
    """How many batches there are; ValueError if they cannot say, or are none."""
    try:
        count = len(batches)
    except TypeError as error:
        raise ValueError("batches need a length: give Batches, a DataLoader or a list, not a generator") from error
    if not count:
        raise ValueError("there are no batches to train on")
    return count


def mixed_precision(device: torch.device, bfloat16: bool) -> torch.autocast:
    """A context in which matrix products run in bfloat16, if asked for."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)


def default_device() -> torch.device:
    """`CNNLIB_DEVICE` if set (cpu, cuda, mps), else an accelerator if the machine has one, else the processor.

    Raises ValueError for a device that is not there.
    """
    if name := os.environ.get("CNNLIB_DEVICE"):
        try:
            torch.empty(0, device=name)
        except (RuntimeError, AssertionError, ImportError) as error:  # AssertionError: a torch built without CUDA
            raise ValueError(
                f"CNNLIB_DEVICE is {name!r}, which this machine does not have: say cpu, cuda or mps, or unset it."
            ) from error
        return torch.device(name)
    # Asked in this order: on a CUDA build without a GPU, current_accelerator() alone answers cuda.
    if torch.accelerator.is_available():
        return torch.accelerator.current_accelerator()
    return torch.device("cpu")


def first_seed() -> int:
    """`CNNLIB_SEED` (default 0): added to every seed of a chapter's experiments. ValueError for no whole number."""
    text = os.environ.get("CNNLIB_SEED") or "0"
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"CNNLIB_SEED is {text!r}, which is no whole number: say one, or unset it.") from None
