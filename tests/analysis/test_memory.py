import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cnnlib.analysis import saved_bytes, summary
from cnnlib.layers import ConvNormAct, SqueezeExcite, linear_classifier
from cnnlib.models import MODELS
from cnnlib.models.densenet import checkpointed, densenet_cifar

FLOAT = 4  # bytes


def test_a_convolution_keeps_its_input_and_nothing_else():
    assert saved_bytes(nn.Conv2d(3, 8, 3), torch.randn(5, 3, 10, 10)) == 5 * 3 * 10 * 10 * FLOAT


def test_what_two_operators_keep_counts_once():
    # The ReLU keeps its output, which is the second convolution's input; the first convolution keeps the images.
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1))
    assert saved_bytes(net, torch.randn(1, 1, 6, 6)) == (1 + 2) * 36 * FLOAT


def test_a_frozen_layer_keeps_nothing():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1))
    net[0].requires_grad_(False)
    assert saved_bytes(net, torch.randn(1, 1, 6, 6)) == 2 * 36 * FLOAT
    assert saved_bytes(net.requires_grad_(False), torch.randn(1, 1, 6, 6)) == 0


class Recomputed(nn.Module):
    """Keeps the input of its layers, and computes what lies between anew for the backward pass."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.layers, x, use_reentrant=False)


def test_a_checkpointed_part_keeps_its_input_only():
    layers = [nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1), nn.Sigmoid()]
    images = torch.randn(3, 1, 6, 6)
    assert saved_bytes(nn.Sequential(*layers), images) == 3 * (1 + 2 + 4) * 36 * FLOAT
    assert saved_bytes(Recomputed(*layers), images) == 3 * 1 * 36 * FLOAT
    assert summary(Recomputed(*layers), (1, 6, 6))[-1].saved == 1 * 36 * FLOAT


def mixed() -> nn.Module:
    """Everything that keeps memory of its own kind: statistics of a norm, places of a maximum, masks, gates."""
    features = [ConvNormAct(3, 8, 3, activation=nn.SiLU), nn.MaxPool2d(2), SqueezeExcite(8, 2), nn.AvgPool2d(2)]
    return nn.Sequential(*features, nn.LocalResponseNorm(5), linear_classifier(8, 10, dropout=0.5))


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (mixed, (3, 16, 16)),
        (MODELS["lenet"], (1, 32, 32)),
        (MODELS["mlp"], (1, 28, 28)),
        (densenet_cifar, (3, 16, 16)),
        (lambda: checkpointed(densenet_cifar()), (3, 16, 16)),
    ],
)
def test_the_summary_predicts_what_is_kept(build, shape):
    model = build()
    assert saved_bytes(model, torch.randn(2, *shape)) == 2 * summary(model, shape)[-1].saved > 0


def test_measuring_leaves_the_model_alone():
    model = mixed().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    saved_bytes(model, torch.randn(2, 3, 16, 16))
    assert not model.training and all(torch.equal(before[name], t) for name, t in model.state_dict().items())


def test_it_counts_also_where_gradients_are_switched_off():
    with torch.no_grad():
        assert saved_bytes(nn.Conv2d(1, 1, 1), torch.randn(1, 1, 2, 2)) == 16
