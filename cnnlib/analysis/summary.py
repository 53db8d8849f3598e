"""Shape, parameters, multiply-adds and memory of every module, without running a single multiplication."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlib.analysis.memory import Saved, saving
from cnnlib.errors import explaining, on_meta

BATCH = 2  # batch norm cannot train on one image, so two go through, and every count is halved


@dataclass(frozen=True)
class Cost:
    """One module: its path in the network, output shape for one image, parameters, multiply-adds of one image.

    `saved` is what training keeps of one image until the backward pass, in bytes.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    saved: int


def summary(model: nn.Module, shape: Sequence[int], depth: int = 2) -> list[Cost]:
    """The cost of each module in order of execution, the whole network (name "") last.

    `shape` is one image, C×H×W; modules nested deeper than `depth` are counted in their parents. Multiply-adds (MACs)
    are those of convolutions and linear layers; papers call one of them a FLOP or two. Saved bytes are those of the
    tensors that autograd keeps for the backward pass of a batch of two in training mode, without parameters and
    buffers. A tensor that several operators keep counts once, in the module of the first: a ReLU's output counts there,
    and no more in the convolution that takes it. The model is copied to the meta device: no memory for weights or
    maps, no arithmetic.
    """
    model = on_meta(model).train()
    modules = {name: m for name, m in model.named_modules() if name.count(".") < depth}
    shapes: dict[str, tuple[int, ...]] = {}
    kept: Counter[str] = Counter()
    images = torch.empty(BATCH, *shape, device="meta")
    counter = FlopCounterMode(display=False)
    with explaining(model, images), saving(model) as saved, counter:
        for name, module in modules.items():
            watch(module, name, shapes, kept, saved)
        model(images)
    flops = counter.get_flop_counts()
    return [
        Cost(
            name=name,
            kind=type(modules[name]).__name__,
            shape=shape,
            parameters=sum(p.numel() for p in modules[name].parameters()),
            macs=sum(flops.get(path(model, name), {}).values()) // (2 * BATCH),
            saved=kept[name] // BATCH,
        )
        for name, shape in shapes.items()
    ]


def watch(module: nn.Module, name: str, shapes: dict[str, tuple[int, ...]], kept: Counter[str], saved: Saved) -> None:
    """Have the module note its output's shape, and by how much the saved bytes grow while it runs."""

    def before(module: nn.Module, inputs: tuple) -> None:
        kept[name] -= saved.bytes

    def after(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        kept[name] += saved.bytes
        shapes[name] = tuple(output.shape[1:])

    module.register_forward_pre_hook(before)
    module.register_forward_hook(after)


def path(model: nn.Module, name: str) -> str:
    """The module's name in torch's counter, which begins with the network's class."""
    return ".".join(filter(None, (type(model).__name__, name))) if name else "Global"


def table(costs: Sequence[Cost]) -> str:
    """The costs as a text table, ready to print."""
    rows = [("module", "kind", "output", "parameters", "MACs", "saved bytes")]
    for c in costs:
        counts = (f"{count:,}" for count in (c.parameters, c.macs, c.saved))
        rows.append((c.name or "whole", c.kind, "×".join(map(str, c.shape)), *counts))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
        for row in rows
    )
