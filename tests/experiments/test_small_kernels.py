from dataclasses import replace

import pytest
import torch
from torch import nn

from cnnlib.analysis import receptive_field, summary
from cnnlib.claims import mean_accuracy
from cnnlib.datasets import fashion
from cnnlib.experiments import small_kernels
from cnnlib.experiments.small_kernels import ARMS, LIVE, LONG, STACKS, build, pinholes, random_labels
from cnnlib.records import read_all

PAIRS = [("two-3x3", "one-5x5"), ("three-3x3", "one-7x7")]


def few():
    part, test = fashion()
    return part[:200], test[:200]


SMALL = replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=1))


def inner(arm: str) -> list[nn.Conv2d]:
    """The convolutions of the two blocks, without the first."""
    return [layer for layer in build(ARMS[arm]) if isinstance(layer, nn.Conv2d)][1:]


@pytest.mark.parametrize(("stack", "large", "share"), [(*PAIRS[0], 18 / 25), (*PAIRS[1], 27 / 49)])
def test_a_stack_sees_what_its_large_kernel_sees_with_fewer_weights(stack, large, share):
    seen = [receptive_field(build(ARMS[arm])[:-2])[-1].size for arm in (stack, large)]
    assert seen[0] == seen[1]
    weights = [sum(conv.weight.numel() for conv in inner(arm)) for arm in (stack, large)]
    assert weights[0] / weights[1] == share
    work = [summary(build(ARMS[arm]), (1, 32, 32))[-1].macs for arm in (stack, large)]
    assert work[0] < work[1]


def test_arms_differ_in_their_blocks_and_in_batch_norm_only():
    assert {arm.removesuffix("-norm") for arm in ARMS} == set(STACKS) and len(ARMS) == 2 * len(STACKS)
    for name, arm in ARMS.items():
        net = build(arm)
        norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in net)
        assert norms == (1 + 2 * arm.depth if name.endswith("-norm") else 0)
        assert {conv.out_channels for conv in inner(name)} == {16} and net[-1].in_features == 256


def test_a_net_starts_by_he_s_rule():
    torch.manual_seed(0)
    (conv, _) = inner("one-7x7")
    assert conv.weight.std().item() == pytest.approx((2 / (16 * 49)) ** 0.5, rel=0.03)
    assert conv.bias.abs().max() == 0


def test_a_seed_sets_weights_and_order():
    runs = [small_kernels.run("two-3x3", seed, SMALL, torch.device("cpu")) for seed in (0, 0, 1)]
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


def test_a_pinhole_sees_a_pixel_and_leaves_small_kernels_alone():
    model, _ = pinholes(build(ARMS["one-7x7"]), few(), 0)
    assert [layer.kernel_size for layer in model if isinstance(layer, nn.Conv2d)] == [(3, 3), (1, 1), (1, 1)]
    before = build(ARMS["three-3x3"])
    assert str(pinholes(before, few(), 0)[0]) == str(build(ARMS["three-3x3"]))


def test_random_labels_keep_the_images_and_how_many_there_are_of_each_class():
    data = few()
    _, spoilt = random_labels(nn.Identity(), data, 0)
    for part, drawn in zip(data, spoilt):
        assert torch.equal(part.pixels, drawn.pixels) and not torch.equal(part.labels, drawn.labels)
        assert torch.equal(part.labels.bincount(), drawn.labels.bincount())


def test_every_arm_is_recorded():
    assert set(read_all(LIVE.name)) == set(ARMS)


def test_ten_longer_runs_close_more_than_half_of_the_gap():
    short, long = read_all(LIVE.name), read_all(LONG.name)
    assert {arm: len(runs) for arm, runs in long.items()} == {"two-3x3": 10, "one-5x5": 10}
    gaps = [mean_accuracy(arms["one-5x5"]) - mean_accuracy(arms["two-3x3"]) for arms in (short, long)]
    assert 0 < gaps[1] < gaps[0] / 2
