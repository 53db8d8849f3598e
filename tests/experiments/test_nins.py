from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib.analysis import summary
from cnnlib.claims import beats
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.experiments import nins
from cnnlib.experiments.nins import ARMS, LIVE, LONG, build, no_dropout, random_labels
from cnnlib.experiments.running import processor_threads
from cnnlib.records import RUNS, read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def very_few():
    part, test = nins.few()
    return part[:96], test[:100]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=2))


def layers(arm: str, kind: type, in_channels: int = 1) -> list[nn.Module]:
    with torch.device("meta"):
        return [layer for layer in build(ARMS[arm], in_channels).modules() if isinstance(layer, kind)]


def parameters(arm: str, in_channels: int = 1) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in build(ARMS[arm], in_channels).parameters())


def test_the_small_net_is_the_plan_of_the_paper_a_sixth_as_wide():
    with torch.device("meta"):
        widths = [[conv.out_channels for conv in layers("paper", nn.Conv2d, channels)] for channels in (1, 3)]
        shapes = [cost.shape for cost in summary(build(ARMS["paper"]), (1, 32, 32), 4) if cost.kind == "Conv2d"]
    assert widths == [[32, 26, 16, 32, 32, 32, 32, 32, 10], [192, 160, 96, 192, 192, 192, 192, 192, 10]]
    assert [shape[1] for shape in shapes] == [16] * 3 + [8] * 6
    assert parameters("paper") == 27_700 and parameters("paper", 3) == 966_986  # as nin_cifar


def test_where_things_are_dropped():
    expected = {"paper": 2, "norm": 2, "listing": 9, "hidden": 8, "hidden-plain": 8}
    expected |= {"none": 0, "matrix": 2, "he": 2, "plain": 2}
    assert {arm: len(layers(arm, nn.Dropout)) for arm in ARMS} == expected
    norms = {arm: len(layers(arm, nn.BatchNorm2d)) for arm in ARMS}
    assert norms == {
        **{"paper": 0, "norm": 8, "listing": 9, "hidden": 8, "hidden-plain": 0},
        **{"none": 8, "matrix": 8, "he": 0, "plain": 3},
    }
    model = build(ARMS["listing"]).eval()
    assert model(torch.randn(20, 1, 32, 32)).min() >= 0  # its class maps are rectified, as printed
    assert build(ARMS["hidden"]).eval()(torch.randn(20, 1, 32, 32)).min() < 0


def test_without_1x1_there_are_as_many_parameters():
    for channels in (1, 3):
        counts = []
        for arm in ("norm", "plain"):
            with torch.device("meta"):
                convs = layers(arm, nn.Conv2d, channels)
            counts.append(sum(p.numel() for conv in convs for p in conv.parameters()))
        assert counts[1] == pytest.approx(counts[0], rel=0.004)
    assert [conv.kernel_size for conv in layers("plain", nn.Conv2d)] == [(5, 5), (5, 5), (3, 3), (1, 1)]


def test_the_arms_with_the_mean_take_any_size_and_the_matrix_one():
    canvas = torch.randn(2, 1, 48, 56)
    for arm in ARMS:
        model = build(ARMS[arm]).eval()
        assert model(torch.randn(2, 1, 32, 32)).shape == (2, 10)
        if arm == "matrix":
            with pytest.raises(RuntimeError):
                model(canvas)
        else:
            assert model(canvas).shape == (2, 10)


def test_only_one_arm_keeps_the_means_of_its_kernels():
    for arm in ARMS:
        torch.manual_seed(0)
        means = [
            conv.weight.mean((1, 2, 3)).abs().max().item()
            for conv in [m for m in build(ARMS[arm]).features.modules() if isinstance(m, nn.Conv2d)][1:]
        ]
        assert (max(means) < 1e-6) == (arm != "he")


def test_the_arm_that_the_chapter_trains_by_hand_is_the_library_s():
    part, _ = very_few()
    torch.manual_seed(5)
    by_hand = build(ARMS["paper"])
    batches = Batches(part, SMALL.recipe.batch_size, [Pad(2), Normalize(part)], Generator().manual_seed(5))
    with processor_threads(1):
        losses = [epoch.train.loss for epoch in train(by_hand, batches, SMALL.recipe)]
    record = nins.run("paper", 5, SMALL, CPU)
    assert record.parameters == 27_700 and [epoch["loss"] for epoch in record.epochs] == losses


def test_a_seed_sets_weights_and_order():
    first, again, other = (nins.run("norm", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_sabotage_draws_labels_and_drops_nothing():
    data = very_few()
    _, (part, _) = random_labels(nn.Identity(), data, 0)
    assert part.labels.bincount().tolist() == data[0].labels.bincount().tolist()
    assert not torch.equal(part.labels, data[0].labels)
    model, same = no_dropout(build(ARMS["listing"]), data, 0)
    assert {layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)} == {0.0} and same is data


def test_ten_recorded_runs_of_every_arm_say_what_the_chapter_says():
    runs = read_all(LIVE.name, RUNS)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
    assert min(run.accuracy for run in runs["paper"]) > 0.5  # chance is 0.1: no run of ten collapses
    assert max(run.accuracy for run in runs["listing"]) < 0.25
    assert max(run.accuracy for arm in ("hidden", "hidden-plain") for run in runs[arm]) < 0.25
    assert beats(runs["norm"], runs["paper"], by=0.02)


def test_four_times_the_passes_mend_the_listing_s_learning_not_its_averages():
    runs = read_all(LONG.name, RUNS)["listing"]
    assert [run.seed for run in runs] == list(range(10))
    assert all(run.epochs[-1]["accuracy"] > max(0.33, run.accuracy + 0.1) for run in runs)
