import pytest
import torch
from torch import nn

from cnnlib.layers import Concat, ConvNormAct, DropConnect, SqueezeExcite, StochasticDepth, round_channels

MANY = 4000


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, (1, 7), (7, 1)])
def test_a_convolution_keeps_the_size_at_stride_one_and_halves_it_at_stride_two(kernel):
    maps = torch.randn(2, 4, 12, 12)
    assert ConvNormAct(4, 6, kernel)(maps).shape == (2, 6, 12, 12)
    assert ConvNormAct(4, 6, kernel, 2)(maps).shape == (2, 6, 6, 6)


def test_the_norm_follows_a_convolution_without_bias_and_the_activation_comes_last():
    conv, norm, activation = ConvNormAct(4, 6, 3, activation=nn.SiLU, eps=1e-3)
    assert conv.bias is None and norm.eps == 1e-3 and isinstance(activation, nn.SiLU)


def test_concat_stacks_channels_in_the_order_of_its_branches():
    maps = torch.randn(2, 3, 4, 4)
    stacked = Concat(nn.Identity(), nn.ReLU())(maps)
    assert torch.equal(stacked, torch.cat([maps, maps.relu()], 1))


def test_squeeze_and_excite_scales_whole_channels_by_less_than_one():
    maps = torch.rand(2, 8, 5, 5) + 1
    scale = SqueezeExcite(8, 2)(maps) / maps
    assert (scale.amax((2, 3)) - scale.amin((2, 3))).max() < 1e-6 and scale.min() > 0 and scale.max() < 1


def test_stochastic_depth_drops_images_whole_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = StochasticDepth(0.2)
    out = layer(torch.ones(MANY, 2, 3, 3)).flatten(1)
    assert set(out.unique().tolist()) == {0.0, 1.25} and bool((out == out[:, :1]).all())
    assert abs((out[:, 0] == 0).float().mean() - 0.2) < 0.03 and abs(out.mean() - 1) < 0.04
    assert torch.equal(layer.eval()(torch.ones(5, 1, 1, 1)), torch.ones(5, 1, 1, 1))


def test_drop_connect_drops_weights_anew_for_each_image_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = DropConnect(6, 4, 0.5)
    x = torch.randn(1, 6).repeat(MANY, 1)
    trained, plain = layer(x), layer.eval()(x)
    assert trained.unique(dim=0).shape[0] > 100
    torch.testing.assert_close(trained.mean(0), plain[0], atol=0.05, rtol=0)
    torch.testing.assert_close(plain, x @ layer.weight.T + layer.bias)


@pytest.mark.parametrize(
    ("asked", "got"), [(32, 32), (33, 32), (36, 40), (11, 16), (3, 8), (35.2, 32), (1280 * 1.1, 1408)]
)
def test_channels_are_rounded_to_eights_and_lose_at_most_a_tenth(asked, got):
    assert round_channels(asked) == got >= 0.9 * asked
