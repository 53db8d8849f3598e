"""One training on several devices: each process computes its share of every batch, and all keep the same weights.

`torchrun --nproc-per-node N` starts the processes and numbers them; without it there is one, and nothing here does
anything.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


def together(model: nn.Module) -> nn.Module:
    """The model, its gradients averaged over the processes after each backward pass.

    Weights and buffers begin as the first process has them. Batch norms measure each process's share alone.
    """
    return DistributedDataParallel(model) if distributed.is_initialized() else model


def share(batches: Iterable[tuple[Tensor, Tensor]]) -> Iterable[tuple[Tensor, Tensor]]:
    """The batches themselves, or where there are several processes, this one's part of each."""
    return Share(batches) if distributed.is_initialized() else batches


@dataclass(frozen=True)
class Share:
    """This process's part of each batch, as many images as the others have.

    All processes draw the same batches, so N of them compute what one would. Where a batch does not divide by N, its
    last images are left out.
    """

    batches: Iterable[tuple[Tensor, Tensor]]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rank, count = place()
        for images, labels in self.batches:
            if usable := len(labels) // count * count:
                yield images[rank:usable:count], labels[rank:usable:count]

    @property
    def generator(self) -> Generator | None:
        """What the order of the batches is drawn from."""
        return getattr(self.batches, "generator", None)
