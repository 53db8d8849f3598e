"""Pictures: records and arrays in, a Picture out, with a title and a sentence for those who cannot see it."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from statistics import mean

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from torch import Tensor

from cnnlib.analysis import Cost, Field, most_confused
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
    few = len(groups) <= 2  # then there is room for a name above each group
    width = 0.3 if few else 0.75 / len(groups)
    sides = np.linspace(-0.17, 0.17, len(groups)) if few else width * 1.1 * (np.arange(len(groups)) - len(groups) // 2)
    for (group, arms), colour, marker, side in zip(groups.items(), COLOURS, MARKERS, sides):
        means, heights = [], []
        for arm, place in arms.items():
            x = places.index(place) + side
            band = [100 * run.accuracy for run in recorded.get(arm, ())]
            dots = [100 * run.accuracy for run in runs.get(arm, ())]
            if band:
                edges = [x - width / 2, x + width / 2]
                axes.fill_between(edges, min(band), max(band), color=colour, alpha=0.25)
                axes.plot(edges, [mean(band)] * 2, color=colour, linewidth=2)
            if dots:
                spread = x + np.linspace(-0.08, 0.08, len(dots)) if len(dots) > 1 else [x]
                axes.plot(spread, dots, marker, color=colour, markersize=5, markeredgecolor="white")
            if dots or band:
                heights.append((x, max(dots + band)))
                means.append(f"{place} {percent(mean(dots or band) / 100)}")
        if heights and few:
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
    if words in (["upper"], ["lower"]):
        return f"in the {words[0]} middle"
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


@styled
def shifts(changes: Mapping[str, Sequence[float]], title: str) -> Picture:
    """How far maps are from themselves after their image moved by 1, 2, … pixels; 1 is as far as another image's."""
    figure, grid = canvas()
    axes, told = grid[0, 0], []
    for (name, line), colour, marker in zip(changes.items(), COLOURS, MARKERS):
        axes.plot(range(1, len(line) + 1), line, color=colour, marker=marker, label=name)
        told.append(f"{name} {line[0]:.2f} after one pixel, {line[-1]:.2f} after {len(line)}")
    axes.axhline(1, color="black", linewidth=1, linestyle=":")
    axes.annotate("as far as another image", (1, 1), (0, 4), textcoords="offset points")
    axes.set(xlabel="pixels the image moved", ylabel="distance to the map before", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower right")
    return Picture(figure, title, f"{title}, where another image is at 1.00: {'; '.join(told)}.")


@styled
def shares(rows: Mapping[str, Mapping[str, float]], title: str) -> Picture:
    """Shares from 0 to 1: for each row one bar a measure; all rows have the same measures."""
    measures = list(next(iter(rows.values())))
    figure, grid = canvas(height=1.2 + 0.3 * len(rows) * len(measures))
    axes, thick = grid[0, 0], 0.8 / len(measures)
    for number, (measure, colour) in enumerate(zip(measures, COLOURS)):
        heights = [place + (number - (len(measures) - 1) / 2) * thick for place in range(len(rows))]
        values = [100 * row[measure] for row in rows.values()]
        axes.barh(heights, values, thick, color=colour, label=measure, hatch=("", "///")[number % 2], edgecolor="white")
        for height, value in zip(heights, values):
            axes.text(value + 1, height, percent(value / 100), va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlim=(0, 112), ylim=(len(rows) - 0.5, -0.5), xlabel="%")
    axes.grid(False, axis="y")
    axes.legend(loc="lower right")
    told = "; ".join(
        f"{name}: {', '.join(f'{measure} {percent(share)}' for measure, share in row.items())}"
        for name, row in rows.items()
    )
    return Picture(figure, title, f"{title}. {told}.")


@styled
def sliding(strip: Tensor, scores: Tensor, classes: Sequence[str], title: str) -> Picture:
    """A 1×H×W strip, and below it the highest of a sliding layer's scores (classes×places), named where it peaks.

    A peak is above zero, and highest within half a window to both sides.
    """
    pixels, (highest, which) = strip.detach().cpu()[0], scores.detach().cpu().max(0)
    window = pixels.shape[1] - len(highest) + 1
    figure, grid = canvas(rows=2, height=4.4)
    grid[0, 0].imshow(pixels.numpy(), aspect="equal")
    grid[0, 0].axis("off")
    axes, middle = grid[1, 0], (window - 1) / 2
    axes.plot(np.arange(len(highest)) + middle, highest.numpy(), color=COLOURS[0])
    axes.axhline(0, color="black", linewidth=1)
    told = []
    for place, score in enumerate(highest.tolist()):
        if score > 0 and score == highest[max(0, place - window // 2) : place + window // 2 + 1].max():
            name = classes[which[place]]
            axes.annotate(
                name, (place + middle, score), (0, 4), textcoords="offset points", ha="center", color=COLOURS[1],
                weight="bold", fontsize=13,
            )  # fmt: skip
            told.append(f"{name} at column {place}")
    low, high = highest.min().item(), highest.max().item()
    axes.set(xlabel="middle of the window, in pixels", ylabel="highest score", xlim=(-0.5, pixels.shape[1] - 0.5))
    axes.set_ylim(low - 0.05 * (high - low), high + 0.25 * (high - low))
    return Picture(figure, title, f"{title}. Peaks above zero, at the left end of their window: {', '.join(told)}.")


@styled
def fields(image: Tensor, seen: Mapping[str, Field], title: str) -> Picture:
    """A C×H×W image, and on it what one unit of each layer sees: of the last layer's units the one nearest to the
    middle of the image, of each other layer's the one nearest to the middle of the frame before.
    """
    figure, grid = canvas(height=4.8)
    axes, told = grid[0, 0], []
    pixels = image.detach().cpu().float()
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min()).clamp(min=1e-12)
    axes.imshow(pixels.permute(1, 2, 0).squeeze(2).numpy(), interpolation="nearest")
    middle, edges = [(side - 1) / 2 for side in pixels.shape[1:]], []
    looks = zip(reversed(seen.items()), COLOURS[1:] + COLOURS[:1], ("-", "--", "-.") * 2)
    for (name, field), colour, dashes in looks:
        corner = []
        for centre, size, step, start in zip(middle, field.size, field.step, field.start):
            unit = round((centre - (size - 1) / 2 - start) / step)
            corner.append(start + unit * step - 0.5)  # pixel i reaches from i - 0.5 to i + 0.5
        top, left = corner
        height, width = field.size
        across, down = [left, left + width, left + width, left, left], [top, top, top + height, top + height, top]
        axes.plot(across, down, color=colour, linestyle=dashes, linewidth=2.5, label=f"{name}: {height}×{width}")
        middle = [top + height / 2, left + width / 2]
        edges += across + down
        told.insert(0, f"{name} {height}×{width}")
    low, high = min(-0.5, *edges) - 0.5, max(*(side - 0.5 for side in pixels.shape[1:]), *edges) + 0.5
    axes.set(xlim=(low, high), ylim=(high, low))
    axes.axis("off")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), reverse=True)
    size = "×".join(map(str, pixels.shape[1:]))
    return Picture(figure, title, f"{title}, frames on an image of {size} pixels: {', '.join(told)}.")


@styled
def concentration(maps: Sequence[Tensor], middles: Sequence[Tensor], captions: Sequence[str], title: str) -> Picture:
    """Square maps, each with a frame round its middle part, and the share of the whole that lies in it."""
    figure, grid = canvas(len(maps), height=0.8 + 9.0 / len(maps))
    told = []
    for axes, heat, middle, caption in zip(grid[0], maps, middles, captions):
        low, high = (len(heat) - len(middle)) / 2 - 0.5, (len(heat) + len(middle)) / 2 - 0.5
        share = percent(float(middle.sum() / heat.sum()))
        axes.imshow(heat.detach().cpu().numpy(), cmap="inferno", vmin=0, interpolation="nearest")
        axes.plot([low, high, high, low, low], [low, low, high, high, low], color="white", linewidth=1.5)
        axes.set_title(f"{caption}\n{share} in the frame", fontsize=10, fontweight="normal", loc="center")
        axes.axis("off")
        told.append(f"{caption}, {share} in the middle {len(middle)}×{len(middle)} of {len(heat)}×{len(heat)}")
    return Picture(figure, title, f"{title}: {'; '.join(told)}.")


@styled
def connections(rows: Sequence[Sequence[int]], ends: tuple[str, str], title: str) -> Picture:
    """Which inputs each output sees, as a table of squares: a column an output, a row an input. `ends` names both."""
    inputs = 1 + max(map(max, rows))
    table = torch.zeros(inputs, len(rows))
    for output, seen in enumerate(rows):
        table[list(seen), output] = 1
    figure, grid = canvas(height=0.7 + 8.6 / len(rows) * inputs)
    axes = grid[0, 0]
    axes.pcolormesh(table.numpy(), cmap="Blues", vmin=0, vmax=1.3, edgecolors="white", linewidth=3)
    axes.set_xticks([place + 0.5 for place in range(len(rows))], range(len(rows)))
    axes.set_yticks([place + 0.5 for place in range(inputs)], range(inputs))
    axes.set(xlabel=ends[1], ylabel=ends[0], aspect="equal", ylim=(inputs, 0))
    axes.grid(False)
    counts = [len(row) for row in rows]
    told = ", ".join(f"{counts.count(size)} see {size}" for size in sorted(set(counts)))
    return Picture(figure, title, f"{title}: of {len(rows)} outputs {told} of {inputs} inputs; {sum(counts)} squares.")


@styled
def by_layer(values: Mapping[str, Sequence[float]], layers: Sequence[str], what: str, title: str) -> Picture:
    """A positive number for each layer, one line a network.

    Where they differ by a factor of twenty or more, equal steps of the scale are equal factors.
    """
    figure, grid = canvas(height=4.4)
    axes, told = grid[0, 0], []
    for (name, numbers), colour, marker in zip(values.items(), COLOURS, MARKERS):
        axes.plot(layers, numbers, color=colour, marker=marker, label=name)
        told.append(f"{name} from {numbers[0]:.2g} to {numbers[-1]:.2g}, a factor of {numbers[-1] / numbers[0]:.2g}")
    every = [number for numbers in values.values() for number in numbers]
    if max(every) < 20 * min(every):
        axes.set(ylabel=what, ylim=(0, 1.05 * max(every)))
    else:
        axes.set(ylabel=what, yscale="log")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return Picture(figure, title, f"{title}, from {layers[0]} to {layers[-1]}: {'; '.join(told)}.")


@styled
def window(image: Tensor, kernel: Tensor, row: int, column: int, title: str) -> Picture:
    """One step of a convolution: an H×W image, the window at that corner, times the kernel, the products and their sum.

    Colours as in `maps`, one scale for all four.
    """
    height, width = kernel.shape
    cut = image[row : row + height, column : column + width]
    products = cut * kernel
    figure, grid = canvas(4, height=2.7)
    span = max(float(part.abs().max()) for part in (image, kernel, products))
    parts = {"image, and a window": image, "the window": cut, "times the kernel": kernel}
    parts[f"products, sum {rounded(products.sum())}"] = products
    for axes, (caption, part) in zip(grid[0], parts.items()):
        signed(axes, part, caption, span)
        if part is not image:
            write_numbers(axes, part, span)
    left, top, right, bottom = column - 0.5, row - 0.5, column + width - 0.5, row + height - 0.5
    grid[0, 0].plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="black", linewidth=2)
    ends = f"{rounded(products.min())} to {rounded(products.max())}"
    told = f"The window at row {row}, column {column}: its {products.numel()} products run from {ends}"
    return Picture(figure, title, f"{title}. {told}; their sum is {rounded(products.sum())}.")


@styled
def maps(
    values: Sequence[Tensor],
    captions: Sequence[str],
    title: str,
    columns: int = 4,
    numbers: bool = False,
    finding: str = "",
) -> Picture:
    """H×W maps, red above zero, blue below, white at zero, one scale for all; what is not a number stays empty.

    A 3×H×W image among them is shown in its own colours. `numbers` writes each value into its place; `finding` is one
    more sentence for those who cannot see the maps.
    """
    sheets = [value.detach().cpu().float() for value in values]
    columns = min(columns, len(sheets))
    rows = -(-len(sheets) // columns)
    tallest = max(sheet.shape[-2] / sheet.shape[-1] for sheet in sheets)
    figure, grid = canvas(columns, rows, height=rows * (9.0 / columns * tallest + 0.32) + 0.1)
    for axes in grid.flat:
        axes.axis("off")
    span = max(float(sheet.nan_to_num().abs().max()) for sheet in sheets) or 1.0
    told = []
    for axes, sheet, caption in zip(grid.flat, sheets, captions):
        signed(axes, sheet, caption, span)
        if numbers:
            write_numbers(axes, sheet, span)
        known = sheet[~sheet.isnan()]
        told.append(f"{caption}, from {rounded(known.min())} to {rounded(known.max())}")
    return Picture(figure, title, f"{title}. {'; '.join(told)}. {finding}".strip())


def signed(axes: Axes, sheet: Tensor, caption: str, span: float) -> None:
    """Draw an H×W map in the colours of its signs, ±`span` the darkest, in a thin frame; or a 3×H×W image."""
    pixels = sheet.permute(1, 2, 0) if sheet.ndim == 3 else sheet
    axes.imshow(pixels.numpy(), cmap="RdBu_r", vmin=-span, vmax=span, interpolation="nearest")
    axes.set_title(caption, fontsize=10, fontweight="normal", loc="center", pad=4)
    axes.axis("on")
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#BBBBBB")


def write_numbers(axes: Axes, sheet: Tensor, span: float) -> None:
    """Write each value of an H×W map into its place, if it is a number."""
    for (row, column), value in np.ndenumerate(sheet.numpy()):
        if np.isnan(value):
            continue
        colour = "white" if abs(value) > 0.6 * span else "black"
        axes.text(column, row, rounded(value), ha="center", va="center", color=colour, fontsize=9)


def rounded(value: float | Tensor) -> str:
    """0.26 as "0.3", -2.0 as "−2"."""
    return f"{round(float(value), 1) + 0.0:g}".replace("-", "−")


@styled
def pixels(image: Tensor, rows: slice, columns: slice, title: str) -> Picture:
    """A grey image of H×W bytes, and a part of it enlarged, with the number of each pixel written into it."""
    figure, grid = canvas(2, height=4.5)
    sheet = image.cpu()
    part = sheet[rows, columns]
    top, left = range(len(sheet))[rows], range(len(sheet[0]))[columns]
    sides = [left[0] - 0.5, left[-1] + 0.5, top[-1] + 0.5, top[0] - 0.5]
    for axes, shown, extent in [(grid[0, 0], sheet, None), (grid[0, 1], part, sides)]:
        axes.imshow(shown.numpy(), vmin=0, vmax=255, extent=extent, interpolation="nearest")
        axes.set(xlabel="column", ylabel="row")
        axes.grid(False)
    x, y = [sides[0], sides[1], sides[1], sides[0], sides[0]], [sides[2], sides[2], sides[3], sides[3], sides[2]]
    grid[0, 0].plot(x, y, color=COLOURS[4], linewidth=2)
    grid[0, 1].set(xticks=left, yticks=top)
    for (row, column), value in np.ndenumerate(part.numpy()):
        colour = "black" if value > 127 else "white"
        grid[0, 1].text(left[column], top[row], str(value), ha="center", va="center", color=colour, fontsize=9)
    told = f"Rows {top[0]} to {top[-1]}, columns {left[0]} to {left[-1]} as numbers"
    ends = " and ".join(", ".join(map(str, line.tolist())) for line in (part[0], part[-1]))
    return Picture(figure, title, f"{title}. {told}; the first and the last of these rows read {ends}.")


@styled
def ladder(
    runs: Mapping[str, Sequence[Record]],
    recorded: Mapping[str, Sequence[Record]],
    names: Mapping[str, str],
    low: float,
    title: str,
) -> Picture:
    """Test accuracy by arm, a row each, on the whole scale and again from `low` upwards (0.82 for 82 %).

    The reader's runs are dots on the range of the recorded ones, whose mean is a line; `names` are the arms' names.
    Arms that nobody has run yet are left out; of one that was recorded once, its name says so.
    """
    names = {arm: name for arm, name in names.items() if runs.get(arm) or recorded.get(arm)}
    names |= {arm: f"{name} (one run)" for arm, name in names.items() if len(recorded.get(arm, ())) == 1}
    figure, grid = canvas(2, height=1.3 + 0.42 * len(names))
    told, highest = [], 0.0
    for row, (arm, name) in enumerate(names.items()):
        band = [100 * run.accuracy for run in recorded.get(arm, ())]
        dots = [100 * run.accuracy for run in runs.get(arm, ())]
        for axes in grid[0]:
            if band:
                axes.fill_betweenx([row - 0.3, row + 0.3], min(band), max(band), color=COLOURS[0], alpha=0.3)
                axes.plot([mean(band)] * 2, [row - 0.3, row + 0.3], color=COLOURS[0], linewidth=2)
            heights = row + np.linspace(-0.18, 0.18, len(dots)) if len(dots) > 1 else [row] * len(dots)
            axes.plot(dots, heights, "o", color=COLOURS[1], markersize=5, markeredgecolor="white")
        highest = max([highest, *band, *dots])
        told.append(f"{name} {percent(mean(dots or band) / 100)}")
    whole, close = grid[0]
    whole.set(xlim=(0, 100), xlabel="test accuracy, %", ylim=(len(names) - 0.5, -0.5))
    close.set(
        xlim=(100 * low, highest + 0.05 * (highest - 100 * low)), xlabel="the same, closer, %", ylim=whole.get_ylim()
    )
    whole.set_yticks(range(len(names)), names.values())
    close.set_yticks(range(len(names)), [""] * len(names))
    if runs:
        whole.plot([], [], "o", color=COLOURS[1], label="your runs")
    whole.fill_between([], [], [], color=COLOURS[0], alpha=0.3, label="recorded: range, mean")
    whole.legend(loc="lower left")
    return Picture(figure, title, f"{title}, means over the seeds: {'; '.join(told)}.")


@styled
def learning(
    runs: Mapping[str, Sequence[Record]],
    recorded: Mapping[str, Sequence[Record]],
    names: Mapping[str, str],
    level: float,
    title: str,
) -> Picture:
    """Training error, epoch by epoch: a thin line for each of the reader's runs, a band from the recorded ones.

    An arm that was recorded once, and not run by the reader, is a line too. `names` are the arms' names. A dashed line
    lies at `level` (0.25 for 25 %); the sentence says in which epoch each arm's mean first reaches it.
    """
    figure, grid = canvas(height=4.4)
    axes, told = grid[0, 0], []
    for (arm, name), colour, marker in zip(names.items(), COLOURS, MARKERS):
        errors = [
            np.array([[100 * (1 - row["accuracy"]) for row in run.epochs] for run in part.get(arm, ())])
            for part in (recorded, runs)
        ]
        for lines in errors:
            if len(lines):
                epochs, middle = range(1, lines.shape[1] + 1), lines.mean(0)
        if len(errors[0]):
            axes.fill_between(epochs, errors[0].min(0), errors[0].max(0), color=colour, alpha=0.2)
        alone = not len(errors[1]) and len(errors[0]) == 1
        for line in errors[0] if alone else errors[1]:
            axes.plot(epochs, line, color=colour, marker=marker, markersize=4, linewidth=1, alpha=0.8)
        axes.plot([], [], color=colour, marker=marker, label=name)
        there = [epoch for epoch, error in zip(epochs, middle) if error <= 100 * level]
        when = f"{percent(level)} in epoch {there[0]}" if there else f"never {percent(level)}"
        told.append(f"{name} from {percent(middle[0] / 100)} to {percent(middle[-1] / 100)}, {when}")
    axes.axhline(100 * level, color="black", linewidth=1, linestyle="--")
    axes.set(xlabel="epoch", ylabel="training error, %", ylim=(0, 100))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    once = all(len(runs.get(arm) or recorded[arm]) == 1 for arm in names)
    return Picture(figure, title, f"{title}, {'one run each' if once else 'means over the seeds'}: {'; '.join(told)}.")


@styled
def evidence(
    images: Sequence[Tensor], maps: Sequence[Tensor], captions: Sequence[str], title: str, columns: int = 5
) -> Picture:
    """H×W images in grey, each under a smaller map stretched over it: red above zero, blue below, one scale for all.

    A line goes round what is above half of the scale.
    """
    sheets = [sheet.detach().cpu().float() for sheet in maps]
    span = max(float(sheet.abs().max()) for sheet in sheets) or 1.0
    columns, told = min(columns, len(images)), []
    rows = -(-len(images) // columns)
    figure, grid = canvas(columns, rows, height=rows * (9.0 / columns + 0.32) + 0.1)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, sheet, caption in zip(grid.flat, images, sheets, captions):
        shape = tuple(image.shape)
        smooth = torch.nn.functional.interpolate(sheet[None, None], shape, mode="bilinear")[0, 0].numpy()
        axes.imshow(image.detach().cpu().float().numpy(), interpolation="nearest")
        axes.imshow(smooth, cmap="RdBu_r", vmin=-span, vmax=span, alpha=0.65)
        if smooth.min() < span / 2 < smooth.max():
            for width, colour in ((3, "white"), (1.2, "black")):
                axes.contour(smooth, [span / 2], colors=colour, linewidths=width)
        axes.set_title(caption, fontsize=10, fontweight="normal", loc="center", pad=4)
        told.append(f"{caption}: from {rounded(sheet.min())} to {rounded(sheet.max())}, highest {whereabouts(smooth)}")
    return Picture(figure, title, f"{title}. {'; '.join(told)}.")


@styled
def tolerance(lines: Mapping[str, Sequence[Sequence[float]]], steps: Sequence[float], what: str, title: str) -> Picture:
    """Accuracy (0 to 1) by a change of the test images, `what` in `steps`: a thin line for each run of a network."""
    figure, grid = canvas(height=4.4)
    axes, told = grid[0, 0], []
    for (name, runs), colour, marker in zip(lines.items(), COLOURS, MARKERS):
        for run in runs:
            axes.plot(steps, [100 * value for value in run], color=colour, marker=marker, markersize=4, alpha=0.8)
        axes.plot([], [], color=colour, marker=marker, label=name)
        ends = [percent(mean(run[place] for run in runs)) for place in (0, -1)]
        told.append(f"{name} from {ends[0]} at {steps[0]} to {ends[1]} at {steps[-1]}")
    axes.set(xlabel=what, ylabel="test accuracy, %", ylim=(0, 100))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    of = "one run each" if len(runs) == 1 else f"means over {len(runs)} runs"
    return Picture(figure, title, f"{title}, {of}: {'; '.join(told)}.")


@styled
def branches(inputs: int, paths: Mapping[str, Sequence[tuple[str, int]]], title: str) -> Picture:
    """A module of branches from left to right: bars as high as there are maps, stacked on the right.

    `inputs` maps enter each of the `paths`, a list of layers with the number of maps that each of them puts out.
    """
    figure, grid = canvas(height=4.8)
    axes, last, told = grid[0, 0], 1 + max(map(len, paths.values())), []
    room = [max(maps for _, maps in path) for path in paths.values()]
    gap = 0.18 * sum(room) / len(paths)
    height, outputs = sum(room) + gap * (len(paths) - 1), sum(path[-1][1] for path in paths.values())
    entering = ((height - inputs) / 2, (height + inputs) / 2)
    bar(axes, 0, entering, "#777777", f"{inputs}")
    top, pile = height, (height + outputs) / 2  # upper ends of the next branch, and of its bar in the stack
    for (name, path), tall, colour in zip(paths.items(), room, COLOURS):
        before, left = entering, 0
        for step, (layer, maps) in enumerate(path, start=last - len(path)):
            ends = (top - tall / 2 - maps / 2, top - tall / 2 + maps / 2)
            ribbon(axes, left, before, step, ends, colour)
            bar(axes, step, ends, colour, f"{maps}")
            axes.text(step - 0.12, top - tall / 2, layer, ha="right", va="center", color=colour, weight="bold")
            before, left = ends, step
        ends = (pile - path[-1][1], pile)
        ribbon(axes, left, before, last, ends, colour)
        bar(axes, last, ends, colour, "")
        top, pile = top - tall - gap, ends[0]
        told.append(f"{name}: {', '.join(f'{layer} to {maps}' for layer, maps in path)}")
    axes.text(last + 0.14, height / 2, f"{outputs}", va="center", weight="bold")
    axes.set(xlim=(-0.2, last + 0.4), ylim=(-0.02 * height, 1.05 * height))
    axes.axis("off")
    told = f"{inputs} maps enter each branch. {'; '.join(told)}. Stacked, {outputs} maps."
    return Picture(figure, title, f"{title}. {told}")


def bar(axes: Axes, left: float, ends: tuple[float, float], colour: str, number: str) -> None:
    """A bar from the lower to the upper end for a stack of maps, and their number above it."""
    axes.fill([left, left + 0.08, left + 0.08, left], [ends[0], ends[0], ends[1], ends[1]], color=colour)
    axes.text(left + 0.04, ends[1], number, ha="center", va="bottom", fontsize=10)


def ribbon(
    axes: Axes, left: float, before: tuple[float, float], right: float, after: tuple[float, float], colour: str
) -> None:
    """A pale band from the bar at `left` to the bar at `right`."""
    axes.fill([left + 0.08, right, right, left + 0.08], [*before[:1], *after, before[1]], color=colour, alpha=0.15)


@styled
def functions(x: Tensor, values: Mapping[str, Tensor], title: str) -> Picture:
    """Functions of one number, one line each, and the lowest point of each; axes through zero."""
    figure, grid = canvas(height=4.0)
    axes, told = grid[0, 0], []
    for (name, line), colour, dashes in zip(values.items(), COLOURS, ("-", "--", "-.", ":")):
        axes.plot(x.numpy(), line.numpy(), dashes, color=colour, linewidth=2, label=name)
        place = int(line.argmin())
        told.append(f"{name} from {line[0]:.2f} to {line[-1]:.2f}, lowest {line[place]:.2f} at {x[place]:.2f}")
    axes.axhline(0, color="black", linewidth=1)
    axes.axvline(0, color="black", linewidth=1)
    axes.legend(loc="upper left")
    span = f"{x[0]:g} to {x[-1]:g}"
    return Picture(figure, title, f"{title}, from {span}: {'; '.join(told)}.".replace("-", "−"))


@styled
def tradeoff(
    points: Mapping[str, tuple[float, float]], marked: Mapping[str, str], what: str, title: str, unit: str = ""
) -> Picture:
    """Accuracy (0 to 1) by cost, a dot a net; nets in `marked` stand out under their names there.

    Equal steps of the cost are equal factors.
    """
    figure, grid = canvas(height=4.4)
    axes, told = grid[0, 0], []
    rest = [point for name, point in points.items() if name not in marked]
    axes.plot([cost for cost, _ in rest], [100 * share for _, share in rest], "o", color="#999999", markersize=5)
    named = []
    for (name, label), colour, marker in zip(marked.items(), COLOURS * 2, MARKERS * 2):
        cost, share = points[name]
        axes.plot([cost], [100 * share], marker, color=colour, markersize=9)
        named.append((label, (cost, 100 * share), colour))
        told.append(f"{label} {percent(share)} at {cost:,.0f}{unit}")
    axes.set(xscale="log", xlabel=what, ylabel="test accuracy, %")
    axes.margins(0.12)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}{unit}")
    costs = [cost for cost, _ in points.values()]
    spread = max(costs) / min(costs)  # the wider, the fewer numbers, or they would run into each other
    steps = (1, 1.5, 2, 3, 5, 7) if spread < 15 else (1, 3) if spread < 600 else (1,)
    axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=steps))
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    name_points(axes, named)
    return Picture(figure, title, f"{title}, {len(points)} nets: {'; '.join(told)}.")


def name_points(axes: Axes, named: Sequence[tuple[str, tuple[float, float], str]]) -> None:
    """Write the name of each point (name, place, colour) on that side of it where it covers no other name or point."""
    figure, half = axes.figure, 5 * axes.figure.dpi / 72
    figure.draw_without_rendering()  # the places below are in pixels
    spots = [axes.transData.transform(place) for _, place, _ in named]
    taken = [Bbox.from_bounds(*(spot - half), 2 * half, 2 * half) for spot in spots]
    for name, place, colour in named:
        tries = []
        for offset, side in (((7, 5), "left"), ((-7, 5), "right"), ((7, -14), "left"), ((-7, -14), "right")):
            label = axes.annotate(name, place, offset, textcoords="offset points", ha=side, color=colour, weight="bold")
            box = label.get_window_extent()
            outside = box.x0 < axes.bbox.x0 or box.x1 > axes.bbox.x1
            tries.append((box.count_overlaps(taken) + outside, len(tries), label, box))
        (*_, box), *others = sorted(tries)
        for _, _, label, _ in others:
            label.remove()
        taken.append(box)


@styled
def block(inputs: int, steps: Sequence[tuple[str, int]], skip: bool, title: str) -> Picture:
    """A chain of layers from left to right, bars as high as there are maps; `skip` draws the way round and the sum."""
    figure, grid = canvas(height=3.6)
    axes, tallest = grid[0, 0], max(inputs, *(maps for _, maps in steps))
    before = (-inputs / 2, inputs / 2)
    bar(axes, 0, before, "#777777", f"{inputs}")
    for place, (layer, maps) in enumerate(steps, start=1):
        ends = (-maps / 2, maps / 2)
        ribbon(axes, place - 1, before, place, ends, COLOURS[0])
        bar(axes, place, ends, COLOURS[0], f"{maps}")
        axes.text(place - 0.46, -0.58 * tallest, layer, ha="center", va="top", color=COLOURS[0], weight="bold")
        before = ends
    last = len(steps)
    if skip:
        height = 0.62 * tallest
        across, foot = [0.04, 0.04, last + 0.3, last + 0.3], inputs / 2 + 0.09 * tallest  # above the number of the bar
        down = [foot, height, height, 0.06 * tallest]
        axes.plot(across, down, color=COLOURS[1], linewidth=2)
        axes.text(last / 2, height, "the input itself", ha="center", va="bottom", color=COLOURS[1], weight="bold")
        axes.text(last + 0.3, 0, "+", ha="center", va="center", fontsize=18, weight="bold")
    axes.set(xlim=(-0.2, last + 0.6), ylim=(-0.75 * tallest, 0.8 * tallest))
    axes.axis("off")
    told = ", ".join(f"{layer} to {maps}" for layer, maps in steps)
    end = "The input itself is added at the end" if skip else "Nothing is added at the end"
    return Picture(figure, title, f"{title}. {inputs} maps go in; {told}. {end}.")


@styled
def reuse(tables: Mapping[str, Tensor], middle: float, ends: tuple[str, str], title: str) -> Picture:
    """What reads what, in numbers: for each table a row a source, a column a reader, red above, blue below `middle`.

    The scale reaches from 0 to twice the middle at least, so that what is flat looks flat. What is not a number stays
    empty. `ends` names rows and columns.
    """
    sheets = {name: table.detach().cpu().float() for name, table in tables.items()}
    known = torch.cat([sheet[~sheet.isnan()] for sheet in sheets.values()])
    span = max(float((known - middle).abs().max()), middle)
    figure, grid = canvas(len(sheets), height=1.1 + 8.2 / len(sheets))
    told = []
    for axes, (name, sheet) in zip(grid[0], sheets.items()):
        axes.imshow((sheet - middle).numpy(), cmap="RdBu_r", vmin=-span, vmax=span, interpolation="nearest")
        for (source, reader), value in np.ndenumerate(sheet.numpy()):
            if not np.isnan(value):
                colour = "white" if abs(value - middle) > 0.6 * span else "black"
                axes.text(reader, source, rounded(value), ha="center", va="center", color=colour, fontsize=9)
        axes.set_xticks(range(sheet.shape[1]), range(1, sheet.shape[1] + 1))
        axes.set_yticks(range(len(sheet)))
        axes.set(title=name, xlabel=ends[1], ylabel=ends[0])
        axes.grid(False)
        places = {"most": sheet.nan_to_num(-torch.inf).argmax(), "least": sheet.nan_to_num(torch.inf).argmin()}
        where = {word: divmod(int(place), sheet.shape[1]) for word, place in places.items()}
        words = (f"{word} {rounded(sheet[a, b])} from {a} to {b + 1}" for word, (a, b) in where.items())
        told.append(f"{name}: {', '.join(words)}")
    return Picture(figure, title, f"{title}. {'; '.join(told)}.")


@styled
def growth(lines: Mapping[str, Sequence[float]], steps: Sequence[float], ends: tuple[str, str], title: str) -> Picture:
    """What grows with what, a line each, on even scales from 0: straight is straight, bent is bent.

    `ends` names the axes, across and up.
    """
    figure, grid = canvas(height=4.2)
    axes, told = grid[0, 0], []
    for (name, line), colour, marker in zip(lines.items(), COLOURS, MARKERS):
        axes.plot(steps, line, color=colour, marker=marker, label=name)
        told.append(f"{name} from {rounded(line[0])} to {rounded(line[-1])}")
    axes.set(xlabel=ends[0], ylabel=ends[1], xlim=(0, None), ylim=(0, None), xticks=steps)
    axes.legend()
    return Picture(figure, title, f"{title}, from {steps[0]} to {steps[-1]} {ends[0]}, {ends[1]}: {'; '.join(told)}.")


@styled
def side_by_side(names: Sequence[str], measures: Mapping[str, Sequence[Sequence[float]]], title: str) -> Picture:
    """A row for each name, a panel for each measure: of each row a dot at the mean of its values, on their range.

    A panel whose numbers differ by a factor of twenty or more has a scale of equal factors. Rows without values stay
    empty.
    """
    figure, grid = canvas(len(measures), width=11.0, height=1.1 + 0.3 * len(names))
    told = []
    for axes, colour, (measure, rows) in zip(grid[0], COLOURS, measures.items()):
        middles = {name: mean(values) for name, values in zip(names, rows) if values}
        for row, (name, values) in enumerate(zip(names, rows)):
            if values:
                axes.plot([min(values), max(values)], [row, row], color=colour, linewidth=5, alpha=0.35)
                axes.plot([middles[name]], [row], "o", color=colour, markersize=6)
        if max(middles.values()) >= 20 * min(middles.values()):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter("")
        axes.set(ylim=(len(names) - 0.5, -0.5))
        axes.set_title(measure, fontsize=10, loc="center")
        axes.set_yticks(range(len(names)), names if axes is grid[0, 0] else [""] * len(names))
        ends = [
            f"{middles[name]:,.4g} ({name})" for name in (min(middles, key=middles.get), max(middles, key=middles.get))
        ]
        told.append(f"{measure} from {' to '.join(ends)}")
    return Picture(figure, title, f"{title}. {'; '.join(told)}.")
