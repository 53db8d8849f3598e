"""The scaling lab: spend multiply-adds on blocks, maps or pixels, beside what was recorded for equal work."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.plots import Picture
from cnnlib.records import Record
from cnnlib.widgets.live import Live, spread

Choice = tuple[float, float, int]  # depth and width, as multiples of the small net's, and pixels a side


class ScalingLab(Live):
    """Three sliders, depth, width and resolution; parameters and multiply-adds of the network that they choose.

    `build(depth, width)` makes a network for greyscale images; every combination is counted once, on the meta device.
    `recorded` maps names to a choice and its runs. `target` is the work that they share, as a multiple of the first
    combination's. `picture` stands where nothing can be touched.
    """

    name = "scaling"

    def __init__(
        self,
        build: Callable[[float, float], nn.Module],
        depths: Sequence[float],
        widths: Sequence[float],
        sides: Sequence[int],
        recorded: Mapping[str, tuple[Choice, Sequence[Record]]],
        target: float,
        picture: Picture,
    ) -> None:
        costs = []
        with torch.device("meta"):
            for model in (build(depth, width) for depth in depths for width in widths):
                costs += [summary(model, (1, side, side))[-1] for side in sides]
        known = [
            {"name": name, "choice": list(choice), "runs": len(runs), "found": spread([run.accuracy for run in runs])}
            for name, (choice, runs) in recorded.items()
        ]
        state = {"depths": list(depths), "widths": list(widths), "sides": list(sides), "target": target}
        super().__init__(state | {"costs": [[cost.parameters, cost.macs] for cost in costs], "known": known}, picture)
