from dataclasses import replace

import pytest
import torch
from torch import nn

from cnnlib.experiments import aux_heads
from cnnlib.experiments.aux_heads import ARMS, LIVE, build
from cnnlib.layers import Concat
from cnnlib.models.googlenet import auxiliary_loss
from cnnlib.records import read_all

CPU = torch.device("cpu")


def very_few():
    part, test = aux_heads.few()
    return part[:64], test[:50]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=1))


@pytest.mark.parametrize("norm", ["norm", "plain"])
def test_with_and_without_classifiers_the_network_has_the_same_first_weights(norm):
    nets = []
    for arm in (norm, f"{norm}-heads"):
        torch.manual_seed(3)
        nets.append(build(ARMS[arm]))
    without, with_heads = nets
    own = [(name, p) for name, p in with_heads.named_parameters() if not name.startswith("heads.")]
    assert [name for name, _ in own] == [name for name, _ in without.named_parameters()]
    assert all(torch.equal(p, q) for (_, p), q in zip(own, without.parameters()))
    assert len(with_heads.heads) == 2 and not without.heads


def test_it_has_all_nine_modules_on_maps_of_28_14_and_7_pixels():
    net = build(ARMS["norm"])
    x, sides = torch.zeros(2, 1, 28, 28), []
    for part in net.features:
        x = part(x)
        if isinstance(part, Concat):
            sides.append(x.shape[-1])
    assert sides == [28] * 2 + [14] * 5 + [7] * 2 and x.shape[1] == 64


def test_plain_nets_have_biases_and_no_batch_norm():
    assert not [m for m in build(ARMS["plain-heads"]).modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m for m in build(ARMS["norm"]).modules() if isinstance(m, nn.BatchNorm2d)]


@pytest.mark.parametrize("arm", ARMS)
def test_only_arms_with_classifiers_train_by_their_losses(arm, monkeypatch):
    asked = []

    def noted(model, images, labels):
        asked.append(len(labels))
        return auxiliary_loss(model, images, labels)

    monkeypatch.setattr(aux_heads, "auxiliary_loss", noted)
    record = aux_heads.run(arm, 0, SMALL, CPU)
    assert asked == ([32, 32] if ARMS[arm].heads else [])
    assert record.parameters == sum(p.numel() for p in build(ARMS[arm]).parameters())


def test_a_seed_sets_weights_and_order():
    first, again, other = (aux_heads.run("norm-heads", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_ten_recorded_runs_of_every_arm():
    runs = read_all(LIVE.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
