"""How weights begin: parity cannot see it, and a network with the wrong start may stay at chance."""

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from cnnlib.models import MODELS
from tests.models.twins import oracle

# Families whose constructors choose, and over which side He's formula counts: inputs or outputs of a unit.
HE = {
    "alexnet_cifar": "in",
    "zfnet_cifar": "in",
    "vgg11_cifar": "out",
    "nin_cifar": "in",
    "googlenet_2014": "in",
    "resnet20_cifar": "out",
    "plain20_cifar": "out",
    "preact_resnet20_cifar": "out",
    "densenet_cifar": "in",
    "mnasnet_cifar": "out",
    "efficientnet_cifar": "out",
}


def like(weight: Tensor, deviation: float) -> bool:
    """Is the sample's deviation this one, as far as so many numbers can tell?"""
    return abs(weight.std().item() / deviation - 1) < 5 / sqrt(2 * weight.numel()) + 0.01


@pytest.mark.parametrize("name", HE)
def test_convolutions_begin_with_he_s_deviation(name):
    torch.manual_seed(0)
    for layer in MODELS[name]().features.modules():
        if isinstance(layer, nn.Conv2d):
            outputs, inputs, height, width = layer.weight.shape
            fan = height * width * (inputs if HE[name] == "in" else outputs)  # as torch counts where there are groups
            assert like(layer.weight, sqrt(2 / fan)), layer
            assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("name", ["alexnet_cifar", "zfnet_cifar"])
def test_all_classes_begin_equal_where_there_is_no_norm(name):
    torch.manual_seed(0)
    last = MODELS[name]().classifier[-1]
    assert like(last.weight, 0.01) and not last.bias.any()


@pytest.mark.torchvision
@pytest.mark.parametrize("name", ["alexnet", "resnet18", "densenet121", "mnasnet0_5", "efficientnet_b0"])
def test_twins_begin_alike(name):
    torch.manual_seed(0)
    ours, theirs = MODELS[name](), oracle(name)
    for (place, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert a.shape == b.shape
        if b.numel() == 1 or b.std() == 0:
            assert torch.equal(a, b), place
        else:
            assert abs((a.std() / b.std()).item() - 1) < 8 / sqrt(a.numel()) + 0.01, place
            assert abs((a.mean() - b.mean()).item()) < 8 * b.std().item() / sqrt(a.numel()), place
