import pytest
import torch

from cnnlib.models import cnn, mlp


@pytest.mark.parametrize(("network", "parameters"), [(mlp, 6442), (cnn, 6422)])
def test_the_two_nets_of_the_test_are_of_one_size(network, parameters):
    assert sum(p.numel() for p in network().parameters()) == parameters


@pytest.mark.parametrize("network", [mlp, cnn])
@pytest.mark.parametrize(("channels", "side", "classes"), [(1, 28, 10), (3, 32, 100)])
def test_they_take_any_of_our_image_sizes(network, channels, side, classes):
    model = network(channels, side, classes)
    assert model(torch.zeros(2, channels, side, side)).shape == (2, classes)
