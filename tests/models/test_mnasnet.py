import pytest
import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.models import MODELS, mnasnet1_0, mnasnet_cifar
from cnnlib.models.mnasnet import Skip
from tests.models.twins import macs_of_torchvision

PARAMETERS = {
    "mnasnet0_5": 2_218_512,
    "mnasnet0_75": 3_170_208,
    "mnasnet1_0": 4_383_312,
    "mnasnet1_3": 6_282_256,
    "mnasnet_cifar": 950_322,
}


def built(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]()


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    assert sum(p.numel() for p in built(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name != "mnasnet_cifar"])
def test_multiply_adds_are_those_of_torchvision(name):
    assert round(summary(built(name), (3, 224, 224))[-1].macs / 1e9, 3) == macs_of_torchvision(name)


@pytest.mark.parametrize(
    ("name", "size", "sides"),
    [("mnasnet1_0", 224, (112, 112, 56, 28, 14, 14, 7, 7, 7)), ("mnasnet_cifar", 32, (32, 32, 32, 16, 8, 8, 4, 4, 4))],
)
def test_maps_are_halved_stage_by_stage(name, size, sides):
    maps = [cost.shape for cost in summary(built(name), (3, size, size)) if cost.name.startswith("features.")]
    assert [shape[1:] for shape in maps] == [(side, side) for side in sides]


def test_channels_are_those_of_b1():
    maps = [cost.shape for cost in summary(built("mnasnet1_0"), (3, 224, 224)) if cost.name.startswith("features.")]
    assert [shape[0] for shape in maps] == [32, 16, 24, 40, 80, 96, 192, 320, 1280]


def test_blocks_skip_where_the_shape_stays_and_end_linear():
    blocks = [block for stage in list(mnasnet1_0().features)[2:-1] for block in stage]
    assert [isinstance(block, Skip) for block in blocks] == [
        *(False, True, True) * 3, *(False, True), *(False, True, True, True), False,
    ]  # fmt: skip
    assert all(isinstance(getattr(block, "branch", block)[-1][-1], nn.Identity) for block in blocks)


def test_a_skip_adds_its_input_unchanged():
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(Skip(nn.ReLU())(x), x + x.relu())


def test_norms_forget_within_a_short_training_and_a_fifth_is_dropped_before_the_classes():
    norms = [m for m in mnasnet1_0().modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}
    dropout, linear = mnasnet_cifar().classifier[-2:]
    assert dropout.p == 0.2 and linear.out_features == 10
