"""Shape, parameters and multiply-adds of every module, without running a single multiplication."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlib.errors import explaining


@dataclass(frozen=True)
class Cost:
    """One module: its path in the network, output shape for one image, parameters, multiply-adds of one image."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int


def summary(model: nn.Module, shape: Sequence[int], depth: int = 2) -> list[Cost]:
    """The cost of each module in order of execution, the whole network (name "") last.

    `shape` is one image, C×H×W; modules nested deeper than `depth` are counted in their parents. Multiply-adds (MACs)
    are those of convolutions and linear layers; papers call one of them a FLOP or two. The model is copied to the meta
    device: no memory for weights, no arithmetic.
    """
    model = copy.deepcopy(model).to("meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str):
        def hook(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
            shapes[name] = tuple(output.shape[1:])

        return hook

    modules = {name: m for name, m in model.named_modules() if name.count(".") < depth}
    handles = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    images = torch.empty(1, *shape, device="meta")
    counter = FlopCounterMode(display=False)
    with explaining(model, images), torch.no_grad(), counter:
        model(images)
    for handle in handles:
        handle.remove()
    flops = counter.get_flop_counts()
    return [
        Cost(
            name=name,
            kind=type(modules[name]).__name__,
            shape=shape,
            parameters=sum(p.numel() for p in modules[name].parameters()),
            macs=sum(flops.get(path(model, name), {}).values()) // 2,
        )
        for name, shape in shapes.items()
    ]


def path(model: nn.Module, name: str) -> str:
    """The module's name in torch's counter, which begins with the network's class."""
    return ".".join(filter(None, (type(model).__name__, name))) if name else "Global"


def table(costs: Sequence[Cost]) -> str:
    """The costs as a text table, ready to print."""
    rows = [("module", "kind", "output", "parameters", "MACs")]
    for c in costs:
        rows.append((c.name or "whole", c.kind, "×".join(map(str, c.shape)), f"{c.parameters:,}", f"{c.macs:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
        for row in rows
    )
