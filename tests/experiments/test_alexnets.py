from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib.claims import beats
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.experiments import alexnets
from cnnlib.experiments.alexnets import ARMS, LIVE, changed_places, glorot, random_labels, small_alexnet
from cnnlib.experiments.running import processor_threads
from cnnlib.records import RUNS, read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def very_few():
    part, test = alexnets.few()
    return part[:96], test[:100]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=2))


def losses(model, recipe, seed):
    """The training losses of a training by hand."""
    part, _ = very_few()
    batches = Batches(part, recipe.batch_size, [Pad(2), Normalize(part)], Generator().manual_seed(seed))
    with processor_threads(1):
        return [epoch.train.loss for epoch in train(model, batches, recipe)]


def kinds(model):
    return [type(layer) for layer in model.modules()]


def test_the_arm_that_the_chapter_trains_by_hand_is_the_library_s():
    torch.manual_seed(5)
    by_hand = small_alexnet()
    record = alexnets.run("relu", 5, SMALL, CPU)
    assert record.parameters == sum(p.numel() for p in by_hand.parameters()) == 93_346
    assert [epoch["loss"] for epoch in record.epochs] == losses(by_hand, SMALL.recipe, 5)


def test_an_arm_s_rate_is_its_learning_rate():
    faster = replace(SMALL.recipe, learning_rate=ARMS["tanh"].rate * SMALL.recipe.learning_rate)
    torch.manual_seed(3)
    expected = losses(small_alexnet(nn.Tanh, start=glorot), faster, 3)
    record = alexnets.run("tanh", 3, SMALL, CPU)
    assert [epoch["loss"] for epoch in record.epochs] == pytest.approx(expected, rel=1e-3)


def test_a_seed_sets_weights_and_order():
    first, again, other = (alexnets.run("tanh", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_every_activation_and_dropout_is_the_one_asked_for():
    model = small_alexnet(nn.Sigmoid, dropout=0.3)
    assert kinds(model).count(nn.Sigmoid) == 7 and nn.ReLU not in kinds(model)
    assert [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)] == [0.3, 0.3]


def test_glorot_s_weights_are_the_smaller_the_more_inputs_and_outputs_there_are():
    layer = nn.Linear(500, 100)
    glorot(layer)
    assert layer.weight.abs().max() <= 0.1 < 1.02 * layer.weight.abs().max() and not layer.bias.any()


def test_the_arms_differ_in_activation_and_start_only():
    shapes = []
    for arm in ARMS.values():
        shapes.append([p.shape for p in small_alexnet(arm.activation, start=arm.start).parameters()])
    assert all(other == shapes[0] for other in shapes)


def test_sabotage_draws_labels_and_swaps_two_activations_only():
    data = very_few()
    model, (part, _) = random_labels(small_alexnet(), data, 0)
    assert part.labels.bincount().tolist() == data[0].labels.bincount().tolist()
    assert not torch.equal(part.labels, data[0].labels)
    for arm, expected in (("relu", nn.ReLU), ("tanh", nn.Sigmoid), ("sigmoid", nn.Tanh)):
        model, _ = changed_places(small_alexnet(ARMS[arm].activation), data, 0)
        assert kinds(model).count(expected) == 7


def test_ten_recorded_runs_of_every_arm_say_what_the_chapter_says():
    runs = read_all(LIVE.name, RUNS)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
    passes = {arm: [sum(row["accuracy"] < 0.75 for row in run.epochs) for run in runs[arm]] for arm in runs}
    assert all(tanh <= relu < LIVE.recipe.epochs for tanh, relu in zip(passes["tanh"], passes["relu"]))
    assert beats(runs["tanh"], runs["relu"], by=0)
    assert max(run.accuracy for arm in ("sigmoid", "relu-2012") for run in runs[arm]) < 0.2
