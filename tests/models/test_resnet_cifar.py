import pytest
import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.models import MODELS, plain20_cifar, preact_resnet20_cifar, resnet20_cifar
from cnnlib.models.resnet import Residual, option_b
from cnnlib.models.resnet_cifar import option_a, option_c

PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}
KINDS = ("plain", "resnet", "preact_resnet")


def built(constructor, **keywords) -> nn.Module:
    with torch.device("meta"):
        return constructor(**keywords)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("depth", PARAMETERS)
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_and_layers(kind, depth):
    model = built(MODELS[f"{kind}{depth}_cifar"])
    assert count(model) == PARAMETERS[depth]
    assert len([m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]) == depth


@pytest.mark.parametrize("kind", KINDS)
def test_maps_are_halved_twice_and_their_number_doubled(kind):
    shapes = {cost.name: cost.shape for cost in summary(built(MODELS[f"{kind}20_cifar"]), (3, 32, 32))}
    assert [shapes[f"features.{name}"] for name in ("conv1", "conv2_x", "conv3_x", "conv4_x")] == [
        (16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "side"), [(3, 32), (1, 28), (1, 14), (1, 7)])
def test_they_take_smaller_images_and_train(kind, channels, side):
    model = MODELS[f"{kind}20_cifar"](channels, 5)
    logits = model(torch.randn(2, channels, side, side))
    logits.sum().backward()
    assert logits.shape == (2, 5) and all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("side", [7, 8])
def test_option_a_takes_every_second_pixel_and_adds_zeros(side):
    x = torch.randn(2, 3, side, side)
    out = option_a(3, 5, 2)(x)
    assert torch.equal(out[:, :3], x[:, :, ::2, ::2]) and out.shape[1] == 5 and not out[:, 3:].any()
    assert torch.equal(option_a(3, 3, 1)(x), x) and torch.equal(option_b(3, 3, 1)(x), x)


@pytest.mark.parametrize(
    ("shortcut", "more", "convolutions"), [(option_a, 0, 0), (option_b, 2_752, 2), (option_c, 14_240, 9)]
)
def test_what_the_options_add(shortcut, more, convolutions):
    model = built(resnet20_cifar, shortcut=shortcut)
    shortcuts = [m.shortcut for m in model.modules() if isinstance(m, Residual)]
    assert count(model) == PARAMETERS[20] + more == PARAMETERS[20] + sum(map(count, shortcuts))
    assert len([m for s in shortcuts for m in s.modules() if isinstance(m, nn.Conv2d)]) == convolutions
    assert model(torch.empty(2, 3, 14, 14, device="meta")).shape == (2, 10)


def test_a_plain_net_is_the_residual_one_without_its_shortcuts():
    torch.manual_seed(0)
    plain, residual = plain20_cifar().eval(), resnet20_cifar().eval()
    plain.load_state_dict(dict(zip(plain.state_dict(), residual.state_dict().values())))
    x = torch.randn(2, 3, 32, 32)
    assert (plain(x) - residual(x)).abs().max() > 0.1
    for module in residual.modules():
        if isinstance(module, Residual):
            module.shortcut.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    torch.testing.assert_close(plain(x), residual(x))


def test_the_identity_runs_through_all_pre_activation_blocks():
    torch.manual_seed(0)
    model = preact_resnet20_cifar().eval()
    blocks = [m for m in model.modules() if isinstance(m, Residual)]
    for block in blocks:
        nn.init.zeros_(block.branch[-1].weight)
    start = model.features.conv1(torch.randn(2, 3, 32, 32))
    through = model.features[1:4](start)
    assert torch.equal(through[:, :16], start[:, :, ::4, ::4]) and not through[:, 16:].any()


def test_norm_and_relu_come_before_each_convolution_and_once_more_at_the_end():
    model = built(preact_resnet20_cifar)
    blocks = [m for m in model.modules() if isinstance(m, Residual)]
    order = [nn.BatchNorm2d, nn.ReLU, nn.Conv2d] * 2
    # The first block finds its norm and ReLU in conv1, before the paths part.
    assert [[type(m) for m in block.branch] for block in blocks] == [order[2:], *[order] * 8]
    assert [type(m) for m in model.features.conv1] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert [type(m) for m in model.features[-1]] == [nn.BatchNorm2d, nn.ReLU]


def test_only_the_original_blocks_put_out_no_negative_values():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 32, 32)
    assert resnet20_cifar().eval().features[:2](x).min() == 0 > preact_resnet20_cifar().eval().features[:2](x).min()
