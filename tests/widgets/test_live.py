"""A stored widget is a picture or a text with its state: enough for a page to bring it to life."""

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import product

import nbformat
import pytest
import torch
from torch import nn

from cnnlib import records
from cnnlib.analysis import receptive_field
from cnnlib.experiments import lesions, scaling
from cnnlib.models import MODELS
from cnnlib.models.lenet import lenet
from cnnlib.models.vgg import vgg16
from cnnlib.plots import images
from cnnlib.publish.pairs import CHAPTERS, WIDGET_VIEW
from cnnlib.records import Record
from cnnlib.widgets import MIME, ConvolutionLab, FieldLab, LesionLab, Live, Prediction, ScalingLab, bundle
from cnnlib.widgets.fields import column
from cnnlib.widgets.live import STATIC, spread

IMAGE = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))


def two_runs() -> list[Record]:
    """Accuracies of 0.9 and 1.0, without block k a hundredth of k less, and without the first three 0.7 less."""
    return [
        Record(
            experiment="lesions", arm="net", seed=seed, data="d", data_hash="0" * 16, recipe={}, epochs=[],
            test={"loss": 1.0, "accuracy": whole, "without first three": whole - 0.7}
            | {f"without {k}": whole - k / 100 for k in range(15)},
            parameters=1, macs=1, seconds=1.0, device="cpu", versions={}, commit="",
        )
        for seed, whole in enumerate((0.9, 1.0))
    ]  # fmt: skip


def lesioned(measure=None) -> LesionLab:
    """A lab of one network."""
    return LesionLab({"net": two_runs()}, images(IMAGE[None], ["a block"], "What is left"), measure)


def small_net(depth, width) -> nn.Module:
    layers = [nn.Conv2d(4 * width, 4 * width, 3, padding=1) for _ in range(depth)]
    return nn.Sequential(nn.Conv2d(1, 4 * width, 3, padding=1), *layers)


def scaled() -> ScalingLab:
    """A lab of eight networks, of which one was trained."""
    picture = images(IMAGE[None], ["a net"], "What it costs")
    return ScalingLab(small_net, (1, 2), (1, 2), (8, 16), {"deep": ((2, 1, 8), two_runs())}, 2.0, picture)


def asked() -> Prediction:
    """A question whose answers a browser would sort, or read as html."""
    feedback = {
        "55": "Where would the last window end?",
        "54.25": "What would a quarter of a place be?",
        "<54> & no more": "Then say what becomes of the pixels that are left over.",
    }
    return Prediction("How wide is the map?", feedback)


def labs() -> list[Live]:
    return [ConvolutionLab(IMAGE[0]), FieldLab(lenet(), IMAGE), lesioned(), scaled()]


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab.name)
def test_beside_the_live_view_stand_picture_text_alt_and_state(lab):
    data, metadata = lab._repr_mimebundle_()
    assert set(data) == {WIDGET_VIEW, "image/png", "text/plain", MIME}
    assert data[MIME] == {"widget": lab.name, "state": lab.state}
    assert data["text/plain"] == repr(lab) == lab.still.title
    assert metadata["image/png"]["alt"].startswith(lab.still.title)


def test_a_question_stands_beside_its_live_view_as_text():
    question = asked()
    data, metadata = question._repr_mimebundle_()
    assert set(data) == {WIDGET_VIEW, "text/plain", MIME}
    assert data["text/plain"] == repr(question) == "How wide is the map?\n  a) 55\n  b) 54.25\n  c) <54> & no more"
    assert metadata == {}


def test_a_question_keeps_the_order_of_its_answers_and_their_feedback():
    state = json.loads(json.dumps(asked().state, sort_keys=True))  # as a notebook is stored
    assert state["question"] == "How wide is the map?"
    assert [answer for answer, _ in state["answers"]] == ["55", "54.25", "<54> & no more"]
    assert dict(state["answers"])["54.25"] == "What would a quarter of a place be?"


def test_an_answer_does_not_change_what_is_stored():
    question, before = asked(), asked()._repr_mimebundle_()[0]
    question.answer = "55"
    stored = question._repr_mimebundle_()[0]
    assert [stored[kind] for kind in ("text/plain", MIME)] == [before[kind] for kind in ("text/plain", MIME)]


def test_alt_text_follows_the_data():
    doubled = torch.tensor([[2.0, 0, -2], [4, 0, -4], [2, 0, -2]])
    alts = {ConvolutionLab(IMAGE[0], kernel).still.alt for kernel in (None, doubled)}
    assert len(alts) == 2
    assert "sees 16 pixels a side of the picture's 28" in FieldLab(lenet(), IMAGE).still.alt


@pytest.mark.parametrize("shape", [(28, 20), (8, 8), (60, 60), (3, 28, 28), (784,), (1, 1, 28, 28)])
def test_a_picture_that_cannot_be_shown_is_refused(shape):
    with pytest.raises(ValueError, match="give a square one of 14 to 40 pixels"):
        ConvolutionLab(torch.rand(shape))


def test_a_kernel_of_another_size_is_refused():
    with pytest.raises(ValueError, match="begins with 3×3 weights"):
        ConvolutionLab(IMAGE[0], torch.ones(5, 5))


def test_the_field_lab_shows_the_fields_of_the_analysis():
    with torch.device("meta"):
        network = vgg16()
    rows = FieldLab(network, IMAGE, side=224).state["networks"][0]["layers"]
    fields = {field.name: field for field in receptive_field(network, depth=2)}
    for row in rows:
        field = fields[row["name"].partition(":")[0]]
        assert (row["size"], row["step"], row["start"]) == (field.size[1], field.step[1], field.start[1])
    assert sum("Conv2d" in row["name"] for row in rows) == 13
    assert not any("ReLU" in row["name"] for row in rows), "what passes a field on is no row"
    assert [rows[0]["units"], rows[-1]["units"]] == [224, 7]


def test_a_row_without_one_window_says_so():
    branches = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)))
    assert [row["window"] for row in column(branches, 28, depth=1)] == [[3, 1, 1], []]


def test_a_first_layer_in_groups_hides_no_channels():
    network = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.Conv2d(6, 2, 3))
    assert FieldLab(network, IMAGE).state["networks"][0]["layers"][0]["units"] == 26


def test_networks_of_any_depth_fit_into_a_column():
    with torch.device("meta"):
        networks = {name: (MODELS[name](), 224) for name in ("alexnet", "resnet50", "densenet121", "googlenet")}
    found = FieldLab(networks, IMAGE).state["networks"]
    assert [network["name"] for network in found] == list(networks)
    assert [len(network["layers"]) for network in found] == [8, 18, 9, 15]
    assert [network["layers"][-1]["size"] for network in found] == [195, 427, 2071, 715]


def test_the_lesion_lab_knows_each_single_block_from_the_record():
    (net,) = lesioned().state["nets"]
    assert net["whole"] == [0.95, 0.9, 1.0]
    assert net["without"][10] == [0.85, 0.8, 0.9]


def test_the_lesion_lab_knows_the_sets_that_were_recorded():
    (net,) = lesioned().state["nets"]
    assert net["sets"] == [[[0, 1, 2], [0.25, 0.2, 0.3]]], "of the last three this record says nothing"


def stored(chapter: str, kind: str) -> dict:
    """The state of the widget of this kind in a chapter's notebook."""
    cells = nbformat.read(CHAPTERS / f"{chapter}.ipynb", as_version=4).cells
    found = [output.get("data", {}).get(MIME) for cell in cells for output in cell.get("outputs", ())]
    return next(data["state"] for data in found if data and data["widget"] == kind)


def test_chapter_09_stores_every_set_of_blocks_that_was_recorded():
    recorded = records.read_all(lesions.LIVE.name)
    for net, arm in zip(stored("09_resnet", "lesions")["nets"], ("resnet", "plain", "vgg"), strict=True):
        first, last = ([run.test[f"without {end} three"] for run in recorded[arm]] for end in ("first", "last"))
        assert net["sets"] == [[[0, 1, 2], spread(first)], [[12, 13, 14], spread(last)]]


def test_chapter_11_stores_every_recorded_net_that_its_sliders_reach():
    recorded = records.read_all(scaling.LIVE.name)
    ordinary = Counter()
    for name, arm in scaling.ARMS.items():
        chosen = arm.rate <= 1  # the nets at twice the rate are told beside them
        if chosen and replace(arm, blocks=(1, 1), channels=(8, 12, 24, 64), side=14, rate=1.0) == scaling.Arm():
            run = recorded[name][0]
            ordinary[run.parameters, run.macs, *spread([run.accuracy for run in recorded[name]])] += 1
    state = stored("11_efficientnet", "scaling")
    choices = list(product(state["depths"], state["widths"], state["sides"]))
    known = [(*state["costs"][choices.index(tuple(net["choice"]))], *net["found"]) for net in state["known"]]
    assert Counter(known) == ordinary


def test_for_several_blocks_the_lesion_lab_asks_the_kernel():
    lab = lesioned(lambda name, blocks: len(blocks) / 10)
    assert lab.alive
    lab.cut = [3, 14]
    assert lab.answer == {"cut": [3, 14], "found": {"net": 0.2}}
    absent = lesioned(lambda name, blocks: None)
    absent.cut = [0]
    assert absent.answer == {"cut": [0], "found": {}}, "a network that was not trained has no answer"
    assert not lesioned().alive


def test_the_scaling_lab_counts_every_combination():
    state = scaled().state
    prices = iter(state["costs"])
    for depth in state["depths"]:
        for width in state["widths"]:
            for side in state["sides"]:
                maps = 4 * width
                weights = 9 * maps + depth * 9 * maps**2
                assert next(prices) == [weights + (1 + depth) * maps, weights * side**2]
    assert state["known"] == [{"name": "deep", "choice": [2, 1, 8], "runs": 2, "found": [0.95, 0.9, 1.0]}]


def test_a_page_gets_only_the_widgets_it_shows():
    script = bundle({"fields"})
    assert 'WIDGETS["fields"]' in script
    assert 'WIDGETS["convolution"]' not in script
    with pytest.raises(
        ValueError, match=r"no widget is called slider; there are: convolution, fields, lesions, predict, scaling"
    ):
        bundle({"fields", "slider"})


def test_the_scripts_are_small_and_fetch_nothing():
    scripts = [path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")]
    assert sum(map(len, scripts)) < 120_000
    assert not any(re.search(r"https?:|import\(|^import |fetch\(|XMLHttpRequest", script, re.M) for script in scripts)
