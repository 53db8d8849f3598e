"""What autograd keeps: the bytes that a forward pass leaves in memory for the backward pass."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cnnlib.errors import explaining


class Saved:
    """Bytes of the tensors that autograd has kept so far. Memory counts once, however many tensors lie in it."""

    def __init__(self, model: nn.Module) -> None:
        self.bytes = 0
        # Parameters and buffers are there anyway: known from the start, they never count.
        self.known = {t.untyped_storage() for t in [*model.parameters(), *model.buffers()]}

    def keep(self, tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        if memory not in self.known:
            self.known.add(memory)
            self.bytes += memory.nbytes()
        return tensor


@contextmanager
def saving(model: nn.Module) -> Iterator[Saved]:
    """Inside, count what autograd keeps of the model's forward passes."""
    saved = Saved(model)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor):
        yield saved


def saved_bytes(model: nn.Module, images: Tensor) -> int:
    """Bytes that a forward pass in training mode really keeps for the backward pass, measured on a copy of the model.

    Parameters and buffers do not count, nor does the loss; the images do, where the first layer keeps them. A
    checkpointed part keeps its inputs only. For the CPU, `summary` predicts this number without computing anything.
    """
    model = copy.deepcopy(model).train()
    with explaining(model, images), saving(model) as saved:
        model(images)
    return saved.bytes
