"""Pictures: records and arrays in, a Picture out, with a title and a sentence for those who cannot see it."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from statistics import mean

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlib.records import Record
from cnnlib.training import Epoch

# Okabe and Ito's colours: told apart by colour-blind readers. Markers differ too, for grey prints.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "image.cmap": "gray",
}
PIXELS_PER_INCH = 150  # stored; shown at half of it, sharp on fine screens


@dataclass(frozen=True)
class Picture:
    """A figure, its title, and one sentence (`alt`), made from the data, that says what it shows."""

    figure: Figure
    title: str
    alt: str

    def png(self) -> bytes:
        """The figure as PNG, without a date or version in it: equal data, equal bytes."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        width, height = (round(side * PIXELS_PER_INCH / 2) for side in self.figure.get_size_inches())
        data = {"image/png": self.png(), "text/plain": self.title}
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}}


def styled(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Draw in the course's style and leave matplotlib's settings as they were."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Picture:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def canvas(columns: int = 1, rows: int = 1, width: float = 9.0, height: float = 4.2) -> tuple[Figure, np.ndarray]:
    """A figure with rows × columns axes, kept out of pyplot's hands."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, figure.subplots(rows, columns, squeeze=False)


def percent(value: float) -> str:
    """0.957 as "95.7 %"."""
    return f"{100 * value:.1f} %"


@styled
def images(pixels: Tensor, captions: Sequence[str], title: str, columns: int = 10, what: str = "images") -> Picture:
    """N×C×H×W images in rows, each under its caption; grey from the lowest value to the highest of each image."""
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    figure, grid = canvas(columns, rows, width=9.0, height=rows * (9.0 / columns + 0.32) + 0.1)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, caption in zip(grid.flat, pixels.cpu(), captions):
        axes.imshow(image.permute(1, 2, 0).squeeze(2).numpy(), interpolation="nearest")
        axes.set_title(caption, fontsize=10, fontweight="normal", loc="center", pad=3)
    return Picture(figure, title, f"{title}: {len(pixels)} {what}, captioned {', '.join(captions)}.")


@styled
def weights(maps: Tensor, captions: Sequence[str], title: str) -> Picture:
    """Rows of weight maps (rows×N×H×W), blue below zero, red above, one scale for all. `captions` name the rows."""
    figure, grid = canvas(maps.shape[1], len(maps), height=len(maps) * (9.0 / maps.shape[1]) + 0.3 * len(maps))
    span = float(maps.abs().max())
    for row, caption, stack in zip(grid, captions, maps.detach().cpu()):
        for axes, image in zip(row, stack):
            axes.imshow(image.numpy(), cmap="RdBu_r", vmin=-span, vmax=span, interpolation="nearest")
            axes.axis("off")
        row[0].set_title(caption, fontsize=10)
    rough = [roughness(stack) for stack in maps.detach().cpu()]
    told = "; ".join(
        f"{caption}: neighbouring weights differ by {value:.2f} of their spread"
        for caption, value in zip(captions, rough)
    )
    return Picture(figure, title, f"{title}. {told}.")


def roughness(maps: Tensor) -> float:
    """Typical difference between neighbouring weights over their spread: √2 for noise, near 0 for smooth maps."""
    steps = torch.cat([maps.diff(dim=-1).flatten(), maps.diff(dim=-2).flatten()])
    return float(steps.square().mean().sqrt() / maps.std())


@styled
def curves(histories: Mapping[str, Sequence[Epoch]], title: str) -> Picture:
    """Training loss, and accuracy on the validation part where it was measured, epoch by epoch, one line a history."""
    measured = any(epoch.valid for history in histories.values() for epoch in history)
    figure, grid = canvas(1 + measured)
    told = []
    for (name, history), colour, marker in zip(histories.items(), COLOURS, MARKERS):
        numbers = [epoch.number for epoch in history]
        look = {"color": colour, "marker": marker, "markersize": 5, "label": name}
        grid[0, 0].plot(numbers, [epoch.train.loss for epoch in history], **look)
        told.append(f"{name}: training loss {history[0].train.loss:.2f} at first, {history[-1].train.loss:.2f} at last")
        if measured and history[-1].valid:
            grid[0, 1].plot(numbers, [100 * epoch.valid.accuracy for epoch in history], **look)
            told[-1] += f", validation accuracy {percent(history[-1].valid.accuracy)}"
    grid[0, 0].set(title="training loss", xlabel="epoch", ylim=(0, None))
    if measured:
        grid[0, 1].set(title="validation accuracy, %", xlabel="epoch")
    for axes in grid.flat:
        axes.xaxis.get_major_locator().set_params(integer=True)
        if len(histories) > 1:
            axes.legend()
    return Picture(figure, title, f"{title}. {'; '.join(told)}.")


@styled
def bands(
    runs: Mapping[str, Sequence[Record]],
    recorded: Mapping[str, Sequence[Record]],
    groups: Mapping[str, Mapping[str, str]],
    title: str,
) -> Picture:
    """Test accuracy by arm: the reader's runs as dots on the range of the recorded ones.

    `groups` maps a name for the legend to its arms, and each arm to its place on the axis; the largest group orders the
    axis. Arms without records get no band, arms without runs no dots.
    """
    figure, grid = canvas(height=4.6)
    axes, told = grid[0, 0], []
    places = list(max(groups.values(), key=len).values())
    sides = np.linspace(-0.17, 0.17, len(groups))
    for (group, arms), colour, marker, side in zip(groups.items(), COLOURS, MARKERS, sides):
        means = []
        for arm, place in arms.items():
            x = places.index(place) + side
            band = [100 * run.accuracy for run in recorded.get(arm, ())]
            dots = [100 * run.accuracy for run in runs.get(arm, ())]
            if band:
                axes.fill_between([x - 0.15, x + 0.15], min(band), max(band), color=colour, alpha=0.25)
                axes.plot([x - 0.15, x + 0.15], [mean(band)] * 2, color=colour, linewidth=2)
            if dots:
                spread = x + np.linspace(-0.08, 0.08, len(dots)) if len(dots) > 1 else [x]
                axes.plot(spread, dots, marker, color=colour, markersize=5, markeredgecolor="white")
            if dots or band:
                means.append(f"{place} {percent(mean(dots or band) / 100)}")
        if runs:
            axes.plot([], [], marker, color=colour, label=f"{group}, your runs")
        axes.fill_between([], [], [], color=colour, alpha=0.25, label=f"{group}, recorded range and mean")
        told.append(f"{group}: {', '.join(means)}")
    axes.set_xticks(range(len(places)), places)
    axes.set(ylabel="test accuracy, %", xlim=(-0.5, len(places) - 0.5))
    axes.grid(False, axis="x")
    axes.legend(loc="best")
    return Picture(figure, title, f"{title}, means over the seeds. {'; '.join(told)}.")


@styled
def decisions(paths: Sequence[Sequence[tuple[float, float]]], title: str) -> Picture:
    """Accuracy after each kept change, on the images that decided and on fresh ones: one pair of lines a path."""
    figure, grid = canvas()
    axes = grid[0, 0]
    names = ("on the images that decided", "on fresh images")
    for path in paths:
        for side, (name, colour, dashes) in enumerate(zip(names, COLOURS, ("-", "--"))):
            values = [100 * pair[side] for pair in path]
            axes.plot(values, dashes, color=colour, linewidth=1.5, label=name if path is paths[0] else None)
    axes.set(xlabel="changes kept", ylabel="accuracy, %")
    axes.legend()
    ends = [[mean(path[place][side] for path in paths) for place in (0, -1)] for side in (0, 1)]
    told = "; ".join(f"{name} from {percent(a)} to {percent(b)}" for name, (a, b) in zip(names, ends))
    return Picture(figure, title, f"{title}, means of {len(paths)} tries: {told}.")
