"""One training on several devices: each process computes its share of every batch, and all keep the same weights.

`torchrun --nproc-per-node N` starts the processes and numbers them; without it there is one, and nothing here does
anything.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Generator, Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

Thing = TypeVar("Thing")


@contextmanager
def group() -> Iterator[None]:
    """Inside, the processes that torchrun started are one group: gloo on processors, nccl on GPUs, one GPU each."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or distributed.is_initialized():
        yield
        return
    gpus = torch.cuda.is_available() and os.environ.get("CNNLIB_DEVICE", "cuda").startswith("cuda")
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if gpus else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def place() -> tuple[int, int]:
    """Which process this is, from 0, and how many there are."""
    return (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)


def first() -> bool:
    """Is this the process that prints and writes?"""
    return place()[0] == 0


def agreed(thing: Thing) -> Thing:
    """What the first process has, in all of them."""
    things: list[Any] = [thing]
    if distributed.is_initialized():
        distributed.broadcast_object_list(things)
    return things[0]


def sums(values: Sequence[float], device: torch.device) -> list[float]:
    """Each value summed over the processes."""
    if not distributed.is_initialized():
        return list(values)
    total = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(total)
    return total.tolist()


class Losing(nn.Module):
    """The loss of a model as a module, so that whatever part of the model it calls is called inside."""

    def __init__(self, model: nn.Module, loss: Callable) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.loss(self.model, images, labels)


def together(model: nn.Module, loss: Callable) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """`loss` of the model, of images and labels; its gradients are averaged over the processes in the backward pass.

    Weights and buffers begin as the first process has them. Batch norms measure each process's share alone.
    """
    return DistributedDataParallel(Losing(model, loss)) if distributed.is_initialized() else partial(loss, model)


def random_states(generator: Generator | None = None) -> dict[str, Tensor]:
    """The states of torch's own generators, on processor and accelerator, and of this one."""
    states = {"processor": torch.get_rng_state()}
    if torch.accelerator.is_available():
        states["accelerator"] = torch.get_device_module().get_rng_state()
    return states if generator is None else states | {"order": generator.get_state()}


def restore_random(states: dict[str, Tensor], generator: Generator | None = None) -> None:
    """Put them back; an accelerator's state stays where none is any more."""
    torch.set_rng_state(states["processor"])
    if "accelerator" in states and torch.accelerator.is_available():
        torch.get_device_module().set_rng_state(states["accelerator"])
    if generator is not None:
        generator.set_state(states["order"])


def number_of(states: Iterable[Tensor]) -> int:
    """A number from 0 to 2⁶² that the states decide."""
    digest = hashlib.blake2b(b"".join(state.numpy().tobytes() for state in states), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def share(batches: Iterable[tuple[Tensor, Tensor]]) -> Iterable[tuple[Tensor, Tensor]]:
    """The batches themselves, or where there are several processes, this one's part of each."""
    return Share(batches) if distributed.is_initialized() else batches


@dataclass(frozen=True)
class Share:
    """This process's part of each batch, as many images as the others have.

    All processes draw the same batches, so N of them compute what one would; where a batch does not divide by N, its
    last images are left out. What is drawn between two batches, inside a net, each process draws for itself.
    """

    batches: Iterable[tuple[Tensor, Tensor]]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rank, count = place()
        own = None
        for images, labels in self.batches:
            common = random_states(self.generator)
            if own is None:  # another one in each pass and each process, and the same again when a run goes on
                torch.manual_seed(number_of(common.values()) + rank)
                own = random_states()
            if usable := len(labels) // count * count:
                restore_random(own)
                yield images[rank:usable:count], labels[rank:usable:count]
                own = random_states()
            restore_random(common, self.generator)

    @property
    def generator(self) -> Generator | None:
        """What the order of the batches is drawn from."""
        return getattr(self.batches, "generator", None)
