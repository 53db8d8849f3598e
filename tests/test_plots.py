import io

import matplotlib
import pytest
import torch
from matplotlib import pyplot
from PIL import Image

from cnnlib import plots
from cnnlib.analysis import Cost
from cnnlib.claims import Score
from cnnlib.training import Epoch, Metrics


def history(*losses: float, accuracy: float | None = None) -> list[Epoch]:
    valid = None if accuracy is None else Metrics(0.3, accuracy)
    return [Epoch(n, len(losses), Metrics(loss, 0.5), valid, 1.0) for n, loss in enumerate(losses, 1)]


def runs(*accuracies: float) -> list[Score]:
    return [Score(seed, accuracy) for seed, accuracy in enumerate(accuracies)]


def hot(row: int, column: int) -> torch.Tensor:
    """A heat map of one hot pixel."""
    heat = torch.zeros(9, 9)
    heat[row, column] = 1
    return heat


MATRIX = torch.tensor([[40, 10], [0, 50]])
COSTS = [
    Cost("features.0", "Conv2d", (2, 4, 4), 100, 9_000, 700),
    Cost("features", "Sequential", (2, 4, 4), 100, 9_000, 700),
    Cost("classifier", "Linear", (10,), 300, 1_000, 300),
    Cost("", "Net", (10,), 400, 10_000, 1_000),
]
GROUPS = {"MLP": {"mlp-none": "none", "mlp-all": "all"}}
PICTURES = {
    "images": lambda: plots.images(torch.rand(3, 1, 8, 8), ["one", "two", "three"], "Three"),
    "weights": lambda: plots.weights(torch.randn(2, 4, 8, 8), ["a", "b"], "Weights"),
    "curves": lambda: plots.curves({"MLP": history(2.0, 1.0, accuracy=0.5)}, "Curves"),
    "bands": lambda: plots.bands({"mlp-none": runs(0.9, 0.8)}, {"mlp-none": runs(0.7, 0.95)}, GROUPS, "Bands"),
    "decisions": lambda: plots.decisions([[(0.9, 0.9), (0.95, 0.85)]], "Decisions"),
    "confusion": lambda: plots.confusion(MATRIX, ("cat", "dog"), "Confusion"),
    "overlay": lambda: plots.overlay(torch.rand(3, 9, 9), hot(1, 1), "Overlay"),
    "costs": lambda: plots.costs(COSTS, "Costs"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_gives_png_title_and_alt_text(name):
    picture = PICTURES[name]()
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"] == picture.title  # constant: strict comparison of notebooks passes
    assert metadata["image/png"]["alt"] == picture.alt and picture.alt.startswith(picture.title)
    stored = Image.open(io.BytesIO(data["image/png"]))
    assert stored.width == pytest.approx(2 * metadata["image/png"]["width"], abs=2)  # sharp on fine screens
    assert len(data["image/png"]) < 150_000


@pytest.mark.parametrize("name", PICTURES)
def test_drawing_leaves_matplotlib_as_it_was(name):
    before, figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    PICTURES[name]()
    assert dict(matplotlib.rcParams) == before and pyplot.get_fignums() == figures


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plots.curves({"A": history(2.0, 0.25, accuracy=0.913)}, "T"), ["2.00", "0.25", "91.3 %"]),
        (lambda: plots.curves({"A": history(3.0, 1.5)}, "T"), ["3.00", "1.50"]),
        (lambda: plots.bands({"mlp-all": runs(0.5, 0.6)}, {}, GROUPS, "T"), ["MLP: all 55.0 %"]),
        (lambda: plots.bands({"mlp-none": runs(0.91)}, {}, GROUPS, "T"), ["MLP: none 91.0 %"]),
        (lambda: plots.decisions([[(0.9, 0.9), (0.95, 0.85)]], "T"), ["90.0 % to 95.0 %", "90.0 % to 85.0 %"]),
        (lambda: plots.images(torch.rand(2, 1, 4, 4), ["4", "9"], "T"), ["2 images", "4; 9"]),
        (lambda: plots.confusion(MATRIX, ("cat", "dog"), "T"), ["90.0 % of 100", "cat for dog (10)"]),
        (lambda: plots.confusion(MATRIX.diag().diag(), ("cat", "dog"), "T"), ["100.0 % of 90", "no mistakes"]),
        (lambda: plots.overlay(torch.rand(1, 9, 9), hot(1, 7), "T"), ["at the upper right", "1.2 % of the image"]),
        (lambda: plots.overlay(torch.rand(1, 9, 9), hot(4, 4), "T"), ["in the middle"]),
        (lambda: plots.overlay(torch.zeros(1, 9, 9), 0 * hot(0, 0), "T"), ["no heat anywhere"]),
        (lambda: plots.overlay(torch.rand(1, 9, 9), torch.ones(9, 9), "T"), ["100.0 % of the image"]),
        (
            lambda: plots.costs(COSTS, "T"),
            ["classifier has 75.0 % of 400 para", "features.0 has 90.0 % of 10,000 multi"],
        ),
    ],
)
def test_the_sentence_follows_the_data(draw, words):
    assert all(word in draw().alt for word in words)


def test_the_sentence_about_weights_tells_noise_from_smooth_maps():
    smooth = torch.linspace(0, 1, 28).expand(1, 2, 28, 28)
    noise = torch.randn(1, 2, 28, 28, generator=torch.Generator().manual_seed(0))
    assert plots.roughness(smooth[0]) < 0.2 and 1.3 < plots.roughness(noise[0]) < 1.5


def test_costs_are_drawn_for_innermost_modules_on_one_scale():
    axes = plots.costs(COSTS, "T").figure.axes
    assert [tick.get_text() for tick in axes[0].get_yticklabels()] == ["features.0", "classifier"]
    assert [[bar.get_width() for bar in side.patches] for side in axes] == [[25, 75], [90, 10], [70, 30]]
    assert len({side.get_xlim() for side in axes}) == 1


def test_bands_and_dots_stand_at_their_accuracies():
    recorded = {"mlp-none": runs(0.7, 0.95, 0.9), "mlp-all": runs(0.5, 0.6)}
    axes = plots.bands({"mlp-none": runs(0.9, 0.8)}, recorded, GROUPS, "T").figure.axes[0]
    boxes = [path.get_extents() for band in axes.collections for path in band.get_paths()]
    assert [(round(box.x0 + box.x1) / 2, round(box.y0, 6), round(box.y1, 6)) for box in boxes] == [
        (0, 70, 95), (1, 50, 60)
    ]  # fmt: skip
    heights = [list(line.get_ydata()) for line in axes.lines if len(line.get_ydata())]
    assert [[round(value, 6) for value in line] for line in heights] == [[85, 85], [90, 80], [55, 55]]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["MLP, your runs", "MLP, recorded range and mean"]


def test_curves_of_several_histories_have_a_legend_in_every_part():
    axes = plots.curves({"A": history(2.0, accuracy=0.5), "B": history(3.0, accuracy=0.25)}, "T").figure.axes
    assert [[text.get_text() for text in part.get_legend().get_texts()] for part in axes] == [["A", "B"]] * 2
    assert [[line.get_ydata()[0] for line in part.lines] for part in axes] == [[2, 3], [50, 25]]
    assert plots.curves({"A": history(2.0)}, "T").figure.axes[0].get_legend() is None


def test_a_confusion_shows_every_count_but_zero():
    axes = plots.confusion(MATRIX, ("cat", "dog"), "T").figure.axes[0]
    assert [(text.get_position(), text.get_text()) for text in axes.texts] == [
        ((0, 0), "40"), ((1, 0), "10"), ((1, 1), "50")
    ]  # fmt: skip


def test_equal_data_give_equal_bytes():
    assert PICTURES["decisions"]().png() == PICTURES["decisions"]().png()


def test_the_colours_differ_in_grey():
    greys = sorted(
        sum(w * int(c[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5))) for c in plots.COLOURS[:2]
    )
    assert greys[1] - greys[0] > 20
