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

from cnnlib.analysis import Cost, most_confused
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
def images(pixels: Tensor, captions: Sequence[str], title: str, columns: int = 10, finding: str = "") -> Picture:
    """N×C×H×W images in rows, each under its caption; black at 0, white at the highest value of each image.

    `finding` is one more sentence for those who cannot see the images.
    """
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    figure, grid = canvas(columns, rows, width=9.0, height=rows * (9.0 / columns + 0.32) + 0.1)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, caption in zip(grid.flat, pixels.cpu(), captions):
        axes.imshow(image.permute(1, 2, 0).squeeze(2).numpy(), interpolation="nearest", vmin=min(0, image.min()))
        axes.set_title(caption, fontsize=10, fontweight="normal", loc="center", pad=3)
    told = f"{title}. {len(pixels)} images: {'; '.join(captions)}."
    return Picture(figure, title, f"{told} {finding}".strip())


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
        means, heights = [], []
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
                heights.append((x, max(dots + band)))
                means.append(f"{place} {percent(mean(dots or band) / 100)}")
        if heights:
            axes.annotate(
                group, heights[0], (0, 4), textcoords="offset points", ha="center", color=colour, weight="bold"
            )
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
    axes.set(xlabel="changes that were kept", ylabel="accuracy, %")
    axes.legend()
    ends = [[mean(path[place][side] for path in paths) for place in (0, -1)] for side in (0, 1)]
    told = "; ".join(f"{name} from {percent(a)} to {percent(b)}" for name, (a, b) in zip(names, ends))
    kept = sorted(len(path) - 1 for path in paths)
    return Picture(
        figure, title, f"{title}, means over {len(paths)} splits: {told}; {kept[0]} to {kept[-1]} changes were kept."
    )


@styled
def confusion(matrix: Tensor, classes: Sequence[str], title: str) -> Picture:
    """Counts of (label, prediction) from `confusion_matrix`, each row shaded by its shares; zeros stay empty."""
    counts = matrix.cpu()
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    side = 1.8 + 0.46 * len(classes)
    figure, grid = canvas(width=side + 0.6, height=side)
    axes = grid[0, 0]
    axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    for row, column in counts.nonzero().tolist():
        colour = "white" if shares[row, column] > 0.7 else "black"
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="prediction", ylabel="label")
    axes.grid(False)
    right = float(counts.trace() / counts.sum())
    mistakes = [f"{label} for {taken} ({number})" for label, taken, number in most_confused(matrix, classes)]
    told = f"Most often taken wrongly: {', '.join(mistakes)}" if mistakes else "There are no mistakes"
    return Picture(figure, title, f"{title}: {percent(right)} of {counts.sum():,} predictions are right. {told}.")


@styled
def overlay(image: Tensor, heat: Tensor, title: str) -> Picture:
    """A C×H×W image, and beside it the same in grey under an H×W heat map from 0 to 1; a line goes round its half."""
    pixels = image.detach().cpu().float()
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min()).clamp(min=1e-12)
    warm = heat.detach().cpu().numpy()
    figure, grid = canvas(2, height=4.4)
    grid[0, 0].imshow(pixels.permute(1, 2, 0).squeeze(2).numpy())
    grid[0, 1].imshow(pixels.mean(0).numpy())
    shown = grid[0, 1].imshow(warm, cmap="inferno", vmin=0, vmax=1, alpha=0.6)
    if warm.min() < 0.5 < warm.max():
        for width, colour in ((3, "black"), (1.2, "white")):
            grid[0, 1].contour(warm, [0.5], colors=colour, linewidths=width)
    for axes in grid.flat:
        axes.axis("off")
    figure.colorbar(shown, ax=grid[0, 1], shrink=0.9, ticks=(0, 0.5, 1))
    told = f"The heat is highest {whereabouts(warm)}; {percent((warm > 0.5).mean())} of the image has more than half"
    told = told if warm.max() > 0 else "There is no heat anywhere"
    return Picture(figure, title, f"{title}: an image, and a heat map over it. {told}.")


def whereabouts(warm: np.ndarray) -> str:
    """Where the highest value lies: "at the upper left", "in the middle"."""
    row, column = (3 * i // n for i, n in zip(np.unravel_index(warm.argmax(), warm.shape), warm.shape))
    words = [word for word in (("upper", "", "lower")[row], ("left", "", "right")[column]) if word]
    return f"at the {' '.join(words)}" if words else "in the middle"


@styled
def costs(parts: Sequence[Cost], title: str) -> Picture:
    """What each module has of the whole network's parameters, multiply-adds and saved bytes; innermost modules only."""
    whole = parts[-1]
    names = [part.name for part in parts]
    inner = [part for part in parts[:-1] if not any(name.startswith(f"{part.name}.") for name in names)]
    inner = [part for part in inner if part.parameters or part.macs or part.saved]
    figure, grid = canvas(3, height=1.2 + 0.27 * len(inner))
    measures = {"parameters": "parameters", "macs": "multiply-adds", "saved": "saved bytes"}
    told, longest = [], 0.0
    for axes, colour, (measure, name) in zip(grid[0], COLOURS, measures.items()):
        total = getattr(whole, measure)
        shares = [100 * getattr(part, measure) / max(total, 1) for part in inner]
        axes.barh(range(len(inner)), shares, color=colour)
        axes.set_yticks([])
        axes.set(title=f"{name}, %", ylim=(len(inner) - 0.5, -0.5))
        longest = max(longest, *shares)
        most = inner[shares.index(max(shares))].name
        told.append(f"{most} has {percent(max(shares) / 100)} of {total:,} {name}")
    grid[0, 0].set_yticks(range(len(inner)), [part.name for part in inner])
    for axes in grid.flat:
        axes.set_xlim(0, 1.02 * longest)  # one scale, so that lengths compare
        axes.grid(False, axis="y")
    return Picture(figure, title, f"{title}, largest shares: {'; '.join(told)}.")
