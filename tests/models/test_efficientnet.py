import pytest
import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.layers import SqueezeExcite, StochasticDepth
from cnnlib.models import MODELS, efficientnet_b0
from cnnlib.models.efficientnet import SCALES
from cnnlib.vision import torchvision
from tests.models.twins import macs_of_torchvision

PARAMETERS = {
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
    "efficientnet_cifar": 663_530,
}
NETS = [name for name in PARAMETERS if name != "efficientnet_cifar"]
DROPOUT = dict(zip(NETS, (0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5)))


def built(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]()


def drops(model: nn.Module) -> list[float]:
    return [m.drop_rate for m in model.modules() if isinstance(m, StochasticDepth)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    assert sum(p.numel() for p in built(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b2", "efficientnet_b7"])
def test_multiply_adds_are_those_of_torchvision(name):
    side = (
        288 if name == "efficientnet_b2" else SCALES[name.removeprefix("efficientnet_")].resolution
    )  # torchvision crops B2's images to 288
    assert round(summary(built(name), (3, side, side))[-1].macs / 1e9, 3) == macs_of_torchvision(name)


@pytest.mark.parametrize(
    ("name", "size", "sides"),
    [
        ("efficientnet_b0", 224, (112, 112, 56, 28, 14, 14, 7, 7, 7)),
        ("efficientnet_cifar", 32, (32, 32, 32, 16, 8, 8, 4, 4, 4)),
    ],
)
def test_maps_are_halved_stage_by_stage(name, size, sides):
    maps = [cost.shape for cost in summary(built(name), (3, size, size)) if cost.name.startswith("features.")]
    assert [shape[1:] for shape in maps] == [(side, side) for side in sides]


def test_channels_and_blocks_are_those_of_table_1():
    stages = list(efficientnet_b0().features)[1:-1]
    maps = [cost.shape for cost in summary(built("efficientnet_b0"), (3, 224, 224)) if cost.name.startswith("features")]
    assert [shape[0] for shape in maps] == [32, 16, 24, 40, 80, 112, 192, 320, 1280, 1280]
    assert [len(stage) for stage in stages] == [1, 2, 2, 3, 3, 4, 1]


def test_the_gate_squeezes_to_a_quarter_of_the_block_s_input_and_stands_before_the_last_1x1():
    block = efficientnet_b0().features.stage3[1].branch
    assert [type(part).__name__ for part in block] == ["ConvNormAct", "ConvNormAct", "SqueezeExcite", "ConvNormAct"]
    squeeze, excite = (m for m in block[2].modules() if isinstance(m, nn.Conv2d))
    assert (squeeze.in_channels, squeeze.out_channels, excite.out_channels) == (144, 6, 144)
    assert [type(part).__name__ for part in block[2].gate][2:] == ["SiLU", "Conv2d", "Sigmoid"]


def test_branches_drop_more_often_the_deeper_they_are_and_only_where_there_is_a_skip():
    # The 16 blocks of B0 have rates from 0 in steps of 0.2/16; nine have a skip.
    skips = (2, 4, 6, 7, 9, 10, 12, 13, 14)
    assert drops(efficientnet_b0()) == pytest.approx([0.2 * place / 16 for place in skips])


@pytest.mark.parametrize("name", NETS)
def test_drop_rates_eps_and_dropout_are_torchvision_s(name):
    with torch.device("meta"):
        twin = getattr(torchvision().models, name)()
    skips = [m for m in twin.modules() if getattr(m, "use_res_connect", False)]
    model = built(name)
    assert drops(model) == pytest.approx([block.stochastic_depth.p for block in skips])
    eps = {m.eps for m in twin.modules() if isinstance(m, nn.BatchNorm2d)}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(eps.pop(), 0.1)}
    assert model.classifier[2].p == twin.classifier[0].p == DROPOUT[name]


def test_gates_are_without_norm_and_swish_is_everywhere_but_in_their_sigmoid():
    model = efficientnet_b0()
    gates = [m for m in model.modules() if isinstance(m, SqueezeExcite)]
    assert len(gates) == 16 and not any(isinstance(m, nn.BatchNorm2d) for gate in gates for m in gate.modules())
    assert not any(isinstance(m, nn.ReLU) for m in model.modules())
