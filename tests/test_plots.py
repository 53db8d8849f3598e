import io
from itertools import pairwise

import matplotlib
import pytest
import torch
from matplotlib import pyplot
from PIL import Image

from cnnlib import plots
from cnnlib.analysis import Cost, Field
from cnnlib.claims import Score
from cnnlib.training import Epoch, Metrics


def history(*losses: float, accuracy: float | None = None) -> list[Epoch]:
    valid = None if accuracy is None else Metrics(0.3, accuracy)
    return [Epoch(n, len(losses), Metrics(loss, 0.5), valid, 1.0) for n, loss in enumerate(losses, 1)]


def runs(*accuracies: float) -> list[Score]:
    return [Score(seed, accuracy) for seed, accuracy in enumerate(accuracies)]


class Learnt:
    """A run of which only the training errors are known."""

    def __init__(self, *errors: float) -> None:
        self.epochs = [{"accuracy": 1 - error} for error in errors]


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
SCORES = [-1.0, 2.0, 1.0, -1.0, -2.0, 3.0]
WINDOW, AROUND = Field("C1", (3, 5), (1, 1), (0, 0)), Field("C2", (7, 9), (2, 2), (-1, -1))
BYTES = torch.arange(96, dtype=torch.uint8).view(8, 12)
PICTURES = {
    "images": lambda: plots.images(torch.rand(3, 1, 8, 8), ["one", "two", "three"], "Three"),
    "weights": lambda: plots.weights(torch.randn(2, 4, 8, 8), ["a", "b"], "Weights"),
    "curves": lambda: plots.curves({"MLP": history(2.0, 1.0, accuracy=0.5)}, "Curves"),
    "bands": lambda: plots.bands({"mlp-none": runs(0.9, 0.8)}, {"mlp-none": runs(0.7, 0.95)}, GROUPS, "Bands"),
    "decisions": lambda: plots.decisions([[(0.9, 0.9), (0.95, 0.85)]], "Decisions"),
    "confusion": lambda: plots.confusion(MATRIX, ("cat", "dog"), "Confusion"),
    "overlay": lambda: plots.overlay(torch.rand(3, 9, 9), hot(1, 1), "Overlay"),
    "costs": lambda: plots.costs(COSTS, "Costs"),
    "window": lambda: plots.window(torch.rand(8, 8), torch.ones(3, 3), 2, 4, "Window"),
    "maps": lambda: plots.maps([torch.randn(5, 7), torch.rand(3, 5, 7)], ["a map", "an image"], "Maps"),
    "connections": lambda: plots.connections([(0, 1), (0, 1, 2)], ("of S2", "of C3"), "Connections"),
    "shifts": lambda: plots.shifts({"max": [0.4, 0.9]}, "Shifts"),
    "shares": lambda: plots.shares({"net": {"weights": 0.9, "work": 0.1}}, "Shares"),
    "sliding": lambda: plots.sliding(torch.rand(1, 4, 9), torch.tensor([SCORES]), ["x"], "Sliding"),
    "fields": lambda: plots.fields(torch.rand(1, 8, 8), {"C1": WINDOW}, "Fields"),
    "concentration": lambda: plots.concentration([torch.ones(8, 8)], [torch.ones(4, 4)], ["flat"], "Concentration"),
    "by_layer": lambda: plots.by_layer({"A": [0.5, 0.05]}, ["C1", "F6"], "spread", "By layer"),
    "ladder": lambda: plots.ladder({"a": runs(0.9, 0.8)}, {"a": runs(0.7, 0.95)}, {"a": "A"}, 0.5, "Ladder"),
    "pixels": lambda: plots.pixels(BYTES, slice(2, 5), slice(4, 8), "Pixels"),
    "learning": lambda: plots.learning(
        {"a": [Learnt(0.9, 0.2)]}, {"a": [Learnt(0.8, 0.1)]}, {"a": "A"}, 0.25, "Learning"
    ),
    "branches": lambda: plots.branches(12, {"a": [("1×1", 4)], "b": [("1×1", 2), ("3×3", 6)]}, "Branches"),
    "functions": lambda: plots.functions(torch.linspace(-1, 1, 5), {"half": torch.linspace(-0.5, 0.5, 5)}, "Functions"),
    "tradeoff": lambda: plots.tradeoff({"a": (100, 0.7), "b": (200, 0.8)}, {"b": "B"}, "work", "Tradeoff"),
    "block": lambda: plots.block(4, [("1×1", 24), ("1×1", 4)], True, "Block"),
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
        (
            lambda: plots.connections([(0, 1), (0, 1, 2), (1, 2)], ("a", "b"), "T"),
            ["3 outputs", "2 see 2", "1 see 3 of 3 inputs", "7 squares"],
        ),
        (
            lambda: plots.window(torch.eye(8), torch.tensor([[-1.0, 2.0]]), 3, 2, "T"),
            ["row 3, column 2", "2 products run from 0 to 2; their sum is 2."],
        ),
        (lambda: plots.maps([torch.tensor([[-2.0, 0.26]])], ["a"], "T", finding="So."), ["a, from −2 to 0.3. So."]),
        (lambda: plots.shifts({"max": [0.41, 0.92]}, "T"), ["max 0.41 after one pixel, 0.92 after 2"]),
        (lambda: plots.shares({"net": {"weights": 0.9, "work": 0.1}}, "T"), ["net: weights 90.0 %, work 10.0 %"]),
        (
            lambda: plots.sliding(torch.rand(1, 4, 9), torch.tensor([SCORES, [-3, -3, -3, -3, -3, 4]]), "xy", "T"),
            ["x at column 1, y at column 5"],
        ),
        (lambda: plots.fields(torch.rand(3, 8, 9), {"C1": WINDOW, "C2": AROUND}, "T"), ["8×9", "C1 3×5, C2 7×9"]),
        (
            lambda: plots.concentration([torch.ones(8, 8)], [torch.ones(4, 4)], ["flat"], "T"),
            ["flat, 25.0 % in the middle 4×4 of 8×8"],
        ),
        (
            lambda: plots.by_layer({"A": [0.5, 0.05]}, ["C1", "F6"], "spread", "T"),
            ["from C1 to F6", "A from 0.5 to 0.05", "a factor of 0.1"],
        ),
        (
            lambda: plots.ladder({"b": runs(0.5, 0.6)}, {"a": runs(0.875)}, {"a": "old", "b": "new"}, 0.4, "T"),
            ["old (one run) 87.5 %", "new 55.0 %"],
        ),
        (
            lambda: plots.learning(
                {"a": [Learnt(0.8, 0.3, 0.2), Learnt(0.6, 0.2, 0.1)]},
                {"a": [Learnt(0.9, 0.9, 0.9)], "b": [Learnt(0.9, 0.8, 0.7)]},
                {"a": "new", "b": "old"},
                0.25,
                "T",
            ),
            [
                "T, means over the seeds: new from 70.0 % to 15.0 %, 25.0 % in epoch 2",
                "old from 90.0 % to 70.0 %, never 25.0 %",
            ],
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


def test_a_column_of_connections_shows_what_the_output_sees():
    cells = plots.connections([(0, 1), (2,)], ("a", "b"), "T").figure.axes[0].collections[0].get_array()
    assert cells.reshape(3, 2).tolist() == [[1, 0], [1, 0], [0, 1]]


def test_a_field_is_framed_where_its_unit_looks():
    axes = plots.fields(torch.rand(1, 20, 20), {"C1": WINDOW, "C2": AROUND}, "T").figure.axes[0]
    frames = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    # Of C2 the unit in row 4, column 3 is nearest to the middle, 9.5: 7 rows from pixel -1 + 2·4 on, 9 columns from
    # -1 + 2·3 on, drawn from half a pixel before. The unit of C1 lies in the middle of these.
    assert [(min(x), max(x), min(y), max(y)) for x, y in frames] == [(4.5, 13.5, 6.5, 13.5), (6.5, 11.5, 8.5, 11.5)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["C1: 3×5", "C2: 7×9"]


def test_pixels_names_and_draws_the_part_that_was_cut_out():
    picture = plots.pixels(BYTES, slice(2, 5), slice(4, 8), "T")
    assert "Rows 2 to 4, columns 4 to 7" in picture.alt and "read 28, 29, 30, 31 and 52, 53, 54, 55." in picture.alt
    assert "read 31, 31 and 43, 43." in plots.pixels(31 + 12 * (BYTES > 50).byte(), slice(3, 6), slice(0, 2), "T").alt
    whole, part = picture.figure.axes
    assert [list(line.get_xdata()) for line in whole.lines] == [[3.5, 7.5, 7.5, 3.5, 3.5]]
    assert [list(line.get_ydata()) for line in whole.lines] == [[4.5, 4.5, 1.5, 1.5, 4.5]]
    written = {text.get_position(): text.get_text() for text in part.texts}
    assert len(written) == 12 and written[4, 2] == "28" and written[7, 4] == "55"  # column, row


def test_maps_share_one_scale_and_leave_what_is_no_number_empty():
    values = [torch.tensor([[-2.0, 0.0]]), torch.tensor([[1.0, torch.nan]]), torch.zeros(2, 2)]
    axes = plots.maps(values, ["a", "b", "c"], "T", numbers=True).figure.axes
    assert {part.images[0].get_clim() for part in axes if part.images} == {(-2, 2)}
    assert [[text.get_text() for text in part.texts] for part in axes[:3]] == [["−2", "0"], ["1"], ["0"] * 4]
    drawn = axes[1].images[0].to_rgba(axes[1].images[0].get_array())
    assert drawn[0, 1, 3] == 0  # transparent: the paper shows
    assert plots.maps([torch.zeros(2, 2)], ["zeros"], "T").alt == "T. zeros, from 0 to 0."


def test_a_window_is_framed_where_it_lies():
    axes = plots.window(torch.rand(8, 8), torch.ones(2, 3), 4, 1, "T").figure.axes
    (frame,) = axes[0].lines
    assert (min(frame.get_xdata()), max(frame.get_xdata())) == (0.5, 3.5)
    assert (min(frame.get_ydata()), max(frame.get_ydata())) == (3.5, 5.5)
    assert [len(part.texts) for part in axes] == [0, 6, 6, 6]


@pytest.mark.parametrize(("last", "scale"), [(0.05, "linear"), (0.02, "log")])
def test_numbers_by_layer_far_apart_stand_on_a_scale_of_factors(last, scale):
    axes = plots.by_layer({"A": [0.5, last]}, ["C1", "F6"], "spread", "T").figure.axes[0]
    assert axes.get_yscale() == scale
    assert scale == "log" or axes.get_ylim()[0] == 0


def test_a_ladder_leaves_out_what_nobody_ran_and_marks_what_ran_once():
    picture = plots.ladder({}, {"a": runs(0.7)}, {"a": "A", "b": "B"}, 0.5, "T")
    assert "A (one run) 70.0 %" in picture.alt and "B" not in picture.alt


def test_a_ladder_shows_runs_on_their_range_twice():
    picture = plots.ladder({"a": runs(0.9, 0.8)}, {"a": runs(0.7, 0.95, 0.9)}, {"a": "A"}, 0.5, "T")
    for axes in picture.figure.axes:
        box = axes.collections[0].get_paths()[0].get_extents()
        assert (round(box.x0, 6), round(box.x1, 6)) == (70, 95)
        mean, dots = axes.lines[:2]
        assert [round(x, 6) for x in (*mean.get_xdata(), *dots.get_xdata())] == [85, 85, 90, 80]
    whole, close = (axes.get_xlim() for axes in picture.figure.axes)
    assert whole == (0, 100) and close[0] == 50 and close[1] > 95


def test_learning_draws_each_run_and_the_range_of_the_recorded_ones():
    picture = plots.learning(
        {"a": [Learnt(0.5, 0.2), Learnt(0.6, 0.1)]}, {"a": [Learnt(0.7, 0.3), Learnt(0.4, 0.05)]}, {"a": "A"}, 0.25, "T"
    )
    (axes,) = picture.figure.axes
    assert [[round(y, 6) for y in line.get_ydata()] for line in axes.lines[:2]] == [[50, 20], [60, 10]]
    heights = {round(y, 6) for y in axes.collections[0].get_paths()[0].vertices[:, 1]}
    assert heights == {70, 30, 40, 5}


def test_learning_draws_what_was_recorded_once_as_a_line_and_says_so():
    picture = plots.learning({}, {"a": [Learnt(0.7, 0.3)]}, {"a": "A"}, 0.25, "T")
    assert picture.alt.startswith("T, one run each: A from 70.0 %")
    beside_others = plots.learning({"a": [Learnt(0.7, 0.3)]}, {"a": 3 * [Learnt(0.9, 0.9)]}, {"a": "A"}, 0.25, "T")
    assert beside_others.alt == picture.alt
    (axes,) = picture.figure.axes
    assert [round(y, 6) for y in axes.lines[0].get_ydata()] == [70, 30]


def test_branches_are_as_high_as_they_have_maps_and_stand_on_each_other_at_the_end():
    paths = {"a": [("1×1", 4)], "b": [("1×1", 2), ("3×3", 6)]}
    picture = plots.branches(12, paths, "T")
    assert "12 maps enter each branch. a: 1×1 to 4; b: 1×1 to 2, 3×3 to 6. Stacked, 10 maps." in picture.alt
    bars = [patch.get_xy() for patch in picture.figure.axes[0].patches if patch.get_alpha() is None]
    heights = [round(float(bar[:, 1].max() - bar[:, 1].min()), 6) for bar in bars]
    assert heights == [12, 4, 4, 2, 6, 6]  # what enters; a, and a in the stack; b
    stacked = sorted((round(float(bar[:, 1].min()), 6), round(float(bar[:, 1].max()), 6)) for bar in (bars[2], bars[5]))
    assert stacked[0][1] == stacked[1][0]


def test_evidence_says_where_each_map_is_highest_and_has_one_scale_for_all():
    images, maps = torch.rand(2, 12, 12), [4 * hot(0, 8) - 1, -8 * hot(4, 4)]
    picture = plots.evidence(images, maps, ["a 3", "a 5"], "T")
    assert "a 3: from −1 to 3, highest at the upper right; a 5: from −8 to 0" in picture.alt
    stretched = [axes.images[1] for axes in picture.figure.axes]
    assert [image.get_clim() for image in stretched] == [(-8, 8)] * 2
    assert [image.get_array().shape for image in stretched] == [(12, 12)] * 2
    assert "highest in the lower middle" in plots.evidence(images, [hot(8, 4)], ["a 3"], "T").alt


def test_tolerance_draws_each_run_and_says_where_the_means_end():
    lines = {"a": [[0.9, 0.5], [0.8, 0.3]], "b": [[0.9, 0.9], [0.9, 0.8]]}
    picture = plots.tolerance(lines, [0, 4], "pixels", "T")
    assert "a from 85.0 % at 0 to 40.0 % at 4; b from 90.0 % at 0 to 85.0 % at 4" in picture.alt
    drawn = [[round(y, 6) for y in line.get_ydata()] for line in picture.figure.axes[0].lines if len(line.get_ydata())]
    assert drawn == [[90, 50], [80, 30], [90, 90], [90, 80]]
    assert "means over 2 runs" in picture.alt
    assert "one run each" in plots.tolerance({"a": [[0.9, 0.5]]}, [0, 4], "pixels", "T").alt


def test_functions_say_where_they_are_lowest():
    x = torch.linspace(-2, 2, 5)
    picture = plots.functions(x, {"square": x.square(), "line": x}, "T")
    assert "from −2 to 2: square from 4.00 to 4.00, lowest 0.00 at 0.00; line from −2.00 to 2.00" in picture.alt
    assert [list(line.get_ydata()) for line in picture.figure.axes[0].lines[:2]] == [[4, 1, 0, 1, 4], [-2, -1, 0, 1, 2]]


def test_a_tradeoff_names_the_nets_that_are_marked():
    points = {"a": (100, 0.7), "b": (200, 0.8), "c": (400, 0.75)}
    picture = plots.tradeoff(points, {"b": "chosen"}, "work", "T", unit=" k")
    assert "3 nets: chosen 80.0 % at 200 k." in picture.alt
    grey, chosen = picture.figure.axes[0].lines
    assert list(grey.get_xdata()) == [100, 400] and [round(y, 6) for y in grey.get_ydata()] == [70, 75]
    assert (list(chosen.get_xdata()), round(chosen.get_ydata()[0], 6)) == ([200], 80)


def test_the_names_in_a_tradeoff_cover_neither_each_other_nor_a_net():
    points = {"a": (100, 0.8), "b": (150, 0.803), "c": (200, 0.806), "d": (1000, 0.81), "far": (1, 0.6)}
    picture = plots.tradeoff(points, {name: f"the net {name}" for name in points}, "work", "T")
    picture.figure.canvas.draw()
    axes = picture.figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts]
    dots = [line.get_window_extent() for line in axes.lines if len(line.get_xdata())]
    assert len(boxes) == len(points)
    for number, box in enumerate(boxes):
        assert axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
        assert not box.count_overlaps([*boxes[:number], *dots])


@pytest.mark.parametrize("spread", [3, 40, 400, 4000])
def test_the_costs_of_a_tradeoff_do_not_run_into_each_other(spread):
    picture = plots.tradeoff({"a": (700, 0.7), "b": (700 * spread, 0.8)}, {}, "work", "T")
    picture.figure.canvas.draw()
    axes = picture.figure.axes[0]
    low, high = axes.get_xlim()
    labels = [t for t, place in zip(axes.get_xticklabels(), axes.get_xticks()) if low <= place <= high]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    assert len(boxes) >= 2 and all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_a_block_is_as_high_as_it_has_maps_and_says_whether_its_input_is_added():
    steps = [("1×1", 24), ("1×1", 4)]
    picture = plots.block(4, steps, True, "T")
    assert "4 maps go in; 1×1 to 24, 1×1 to 4. The input itself is added at the end." in picture.alt
    bars = [patch.get_xy() for patch in picture.figure.axes[0].patches if patch.get_alpha() is None]
    assert [round(float(bar[:, 1].max() - bar[:, 1].min()), 6) for bar in bars] == [4, 24, 4]
    assert "Nothing is added" in plots.block(4, steps, False, "T").alt


def test_reuse_names_the_strongest_and_the_weakest_connection_and_colours_by_the_middle():
    nan = torch.nan
    table = torch.tensor([[1.0, 0.5], [nan, 1.5]])
    picture = plots.reuse({"a": table, "b": table - 1}, 1, ("from", "to"), "T")
    assert "a: most 1.5 from 1 to 2, least 0.5 from 0 to 2; b: most 0.5 from 1 to 2" in picture.alt
    left, right = picture.figure.axes
    assert [len(axes.texts) for axes in (left, right)] == [3, 3] and left.get_xlabel() == "to"
    assert left.images[0].get_clim() == (-1.5, 1.5)
    (flat,) = plots.reuse({"a": torch.tensor([[1.0, 1.1]])}, 1, ("", ""), "T").figure.axes
    assert flat.images[0].get_clim() == (-1, 1)
    assert "most 4 from 0 to 1" in plots.reuse({"a": torch.tensor([[4.0, 0.5], [nan, 1.5]])}, 0, ("", ""), "T").alt


def test_growth_is_drawn_on_even_scales_from_0():
    picture = plots.growth({"a": [1.0, 4.0], "b": [0.5, 2.5]}, [4, 8], ("layers", "bytes"), "T")
    assert "from 4 to 8 layers, bytes: a from 1 to 4; b from 0.5 to 2.5" in picture.alt
    (axes,) = picture.figure.axes
    assert (axes.get_yscale(), axes.get_xlim()[0], axes.get_ylim()[0]) == ("linear", 0, 0)


def test_side_by_side_names_both_ends_of_each_measure_and_leaves_gaps():
    measures = {"work": [[1.0], [50.0], [10.0]], "accuracy": [[0.7, 0.9], [], [0.85]]}
    picture = plots.side_by_side(["a", "b", "c"], measures, "T")
    assert picture.alt == "T. work from 1 (a) to 50 (b); accuracy from 0.8 (a) to 0.85 (c)."
    left, right = picture.figure.axes
    assert (left.get_xscale(), right.get_xscale()) == ("log", "linear")
    assert [list(line.get_xdata()) for line in right.lines[:2]] == [[0.7, 0.9], [0.8]] and len(right.lines) == 4
