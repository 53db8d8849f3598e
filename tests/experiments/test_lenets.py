from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib.claims import beats, mean_accuracy
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.datasets import fashion
from cnnlib.experiments import lenets
from cnnlib.experiments.lenets import ARMS, LIVE, PATIENT, lenet_with, random_labels, relu_for_sigmoid
from cnnlib.experiments.running import processor_threads
from cnnlib.models import lenet, lenet5
from cnnlib.records import RUNS, read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def few():
    part, test = fashion()
    return part[:320], test[:100]


SMALL = replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=2))


def losses(model, recipe, seed):
    """The training losses of a training by hand."""
    part, _ = few()
    batches = Batches(part, recipe.batch_size, [Pad(2), Normalize(part)], Generator().manual_seed(seed))
    with processor_threads(1):
        return [epoch.train.loss for epoch in train(model, batches, recipe)]


def stage(in_channels, out_channels):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 5), nn.ReLU(), nn.MaxPool2d(2))


def test_the_arm_that_the_chapter_builds_by_hand_is_the_library_s():
    torch.manual_seed(5)
    features = nn.Sequential(stage(1, 6), stage(6, 16))
    last = nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
    by_hand = nn.Sequential(features, nn.Flatten(), *last)
    record = lenets.run("relu-max", 5, SMALL, CPU)
    assert record.parameters == sum(p.numel() for p in by_hand.parameters()) == 61_706
    assert [epoch["loss"] for epoch in record.epochs] == pytest.approx(losses(by_hand, SMALL.recipe, 5), abs=1e-5)


def test_a_seed_sets_weights_and_order():
    first, again, other = (lenets.run("mlp", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_an_arm_s_rate_is_its_learning_rate():
    slower = replace(SMALL.recipe, learning_rate=ARMS["lenet5"].rate * SMALL.recipe.learning_rate)
    torch.manual_seed(3)
    expected = losses(lenet5(), slower, 3)
    record = lenets.run("lenet5", 3, SMALL, CPU)
    assert [epoch["loss"] for epoch in record.epochs] == pytest.approx(expected, rel=1e-3)
    assert record.parameters == 60_000


@pytest.mark.parametrize("arm", ["relu-avg", "tanh-avg", "sigmoid-avg", "sigmoid-fast"])
def test_the_steps_back_start_from_the_same_weights(arm):
    torch.manual_seed(1)
    today = lenet().state_dict()
    torch.manual_seed(1)
    other = ARMS[arm].build().state_dict()
    assert list(today) == list(other) and all(torch.equal(today[name], other[name]) for name in today)


def test_each_activation_and_pool_is_replaced():
    kinds = [type(layer) for layer in lenet_with(nn.Tanh, nn.AvgPool2d).modules()]
    assert (kinds.count(nn.Tanh), kinds.count(nn.AvgPool2d)) == (4, 2)
    assert not {nn.ReLU, nn.MaxPool2d} & set(kinds)


def test_batch_norm_stands_before_each_sigmoid():
    model = ARMS["sigmoid-norm"].build()
    before = [layer[0] for layer in model.modules() if isinstance(layer, nn.Sequential) and len(layer) == 2]
    assert [norm.num_features for norm in before] == [6, 16, 120, 84]
    assert model(torch.randn(3, 1, 32, 32)).shape == (3, 10)


def test_the_start_of_glorot_and_bengio():
    model = ARMS["sigmoid-xavier"].build()
    layer = model.classifier[1]
    bound = (6 / (400 + 120)) ** 0.5
    assert 0.99 * bound < layer.weight.abs().max() <= bound and not layer.bias.any()


def test_the_mlp_has_nearly_as_many_parameters_as_lenet():
    count = sum(p.numel() for p in lenets.mlp().parameters())
    assert count == 61_075 and abs(count - 61_706) < 0.02 * 61_706


def test_the_sabotages_do_what_they_say():
    _, data = random_labels(lenet(), few(), 0)
    for part, drawn in zip(few(), data):
        assert torch.equal(part.pixels, drawn.pixels)
        assert torch.equal(part.labels.bincount(), drawn.labels.bincount())
        assert (part.labels == drawn.labels).float().mean() < 0.3
    spoilt, _ = relu_for_sigmoid(ARMS["sigmoid-avg"].build(), few(), 0)
    assert not [layer for layer in spoilt.modules() if isinstance(layer, nn.Sigmoid)]


def test_ten_recorded_runs_of_every_arm_say_what_the_chapter_says():
    runs = read_all(LIVE.name, RUNS)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
    assert mean_accuracy(runs["relu-max"]) >= 0.87 and sum(run.seconds for run in runs["relu-max"]) / 10 < 10
    for arm, by in (("linear", 0.03), ("mlp", 0.01), ("lenet5", 0.02), ("relu-avg", 0.005)):
        assert beats(runs["relu-max"], runs[arm], by)
    assert max(run.accuracy for run in runs["sigmoid-avg"]) < 0.2
    assert {run.data_hash for found in runs.values() for run in found} == {fashion()[0].fingerprint()}


def test_ten_patient_runs_sleep_at_first_and_wake():
    runs = read_all(PATIENT.name)["sigmoid-avg"]
    assert [run.seed for run in runs] == list(range(10))
    assert all(run.epochs[5]["accuracy"] < 0.15 and run.accuracy > 0.7 for run in runs)
