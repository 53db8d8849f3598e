import io

import matplotlib
import pytest
import torch
from matplotlib import pyplot
from PIL import Image

from cnnlib import plots
from cnnlib.claims import Score
from cnnlib.training import Epoch, Metrics


def history(*losses: float, accuracy: float | None = None) -> list[Epoch]:
    valid = None if accuracy is None else Metrics(0.3, accuracy)
    return [Epoch(n, len(losses), Metrics(loss, 0.5), valid, 1.0) for n, loss in enumerate(losses, 1)]


def runs(*accuracies: float) -> list[Score]:
    return [Score(seed, accuracy) for seed, accuracy in enumerate(accuracies)]


GROUPS = {"MLP": {"mlp-none": "none", "mlp-all": "all"}}
PICTURES = {
    "images": lambda: plots.images(torch.rand(3, 1, 8, 8), ["one", "two", "three"], "Three"),
    "weights": lambda: plots.weights(torch.randn(2, 4, 8, 8), ["a", "b"], "Weights"),
    "curves": lambda: plots.curves({"MLP": history(2.0, 1.0, accuracy=0.5)}, "Curves"),
    "bands": lambda: plots.bands({"mlp-none": runs(0.9, 0.8)}, {"mlp-none": runs(0.7, 0.95)}, GROUPS, "Bands"),
    "decisions": lambda: plots.decisions([[(0.9, 0.9), (0.95, 0.85)]], "Decisions"),
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
        (lambda: plots.images(torch.rand(2, 1, 4, 4), ["4", "9"], "T"), ["2 images", "4, 9"]),
    ],
)
def test_the_sentence_follows_the_data(draw, words):
    assert all(word in draw().alt for word in words)


def test_the_sentence_about_weights_tells_noise_from_smooth_maps():
    smooth = torch.linspace(0, 1, 28).expand(1, 2, 28, 28)
    noise = torch.randn(1, 2, 28, 28, generator=torch.Generator().manual_seed(0))
    assert plots.roughness(smooth[0]) < 0.2 and 1.3 < plots.roughness(noise[0]) < 1.5


def test_equal_data_give_equal_bytes():
    assert PICTURES["decisions"]().png() == PICTURES["decisions"]().png()


def test_the_colours_differ_in_grey():
    greys = sorted(
        sum(w * int(c[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5))) for c in plots.COLOURS[:2]
    )
    assert greys[1] - greys[0] > 20
