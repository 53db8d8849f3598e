import pytest
import torch
from torch import Tensor, nn

from cnnlib.analysis import grad_cam
from cnnlib.models import MODELS, lenet


class Corner(nn.Module):
    """Label 0 is the mean brightness of the 8×8 pixels at the upper left, label 1 its negative."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.AvgPool2d(8)  # 32×32 pixels to 4×4 maps

    def classifier(self, maps: Tensor) -> Tensor:
        corner = maps[:, 0, 0, 0]
        return torch.stack([corner, -corner], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def bright(*corners: tuple[int, int]) -> Tensor:
    """A black 32×32 image with bright 8×8 squares, their upper left pixels given."""
    image = torch.zeros(1, 32, 32)
    for row, column in corners:
        image[0, row : row + 8, column : column + 8] = 1
    return image


def test_the_heat_is_where_the_evidence_is():
    heat = grad_cam(Corner(), bright((0, 0)), 0)
    assert heat.shape == (32, 32) and heat.max() == 1 and heat.min() == 0
    assert heat[:4, :4].min() == 1 and heat[12:].max() == 0 and heat[:, 12:].max() == 0


def test_what_speaks_against_a_label_is_cold():
    assert not grad_cam(Corner(), bright((0, 0)), 1).any()


def test_a_map_counts_by_the_mean_of_its_slopes():
    # The paper's α is a mean over places: Grad-CAM marks the whole map, where it is bright, also where no slope is.
    heat = grad_cam(Corner(), bright((24, 24)), 0)
    assert heat[24:, 24:].max() == 1 and heat[:16, :16].max() == 0


def test_equations_one_and_two_on_two_channels():
    model = nn.Sequential()
    model.features, model.classifier = nn.Identity(), nn.Sequential(nn.Flatten(), nn.Linear(8, 1, bias=False))
    with torch.no_grad():  # channel 0 has mean slope 2, channel 1 mean slope −1
        model.classifier[1].weight.copy_(torch.tensor([[2.0, 2, 2, 2, -1, -1, -1, -1]]))
    image = torch.tensor([[[1.0, 3], [0, 1]], [[1.0, 2], [5, 2]]])  # 2·A0 − A1 = 1 4 / −5 0
    torch.testing.assert_close(grad_cam(model, image, 0), torch.tensor([[0.25, 1.0], [0.0, 0.0]]))


def test_it_works_on_frozen_nets_and_without_gradients_and_leaves_no_gradient():
    torch.manual_seed(0)
    model, image = lenet().requires_grad_(False), torch.rand(1, 32, 32)
    with torch.no_grad():
        heat = grad_cam(model, image, 3)
    assert heat.shape == (32, 32) and not heat.requires_grad
    torch.testing.assert_close(heat, grad_cam(model.requires_grad_(True), image, 3))
    assert not model.training and all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("model", "image", "label", "words"),
    [
        (lenet(), torch.zeros(1, 32, 32), 10, "no label 10: LeNet tells labels 0 to 9"),
        (lenet(), torch.zeros(1, 1, 32, 32), 0, "one image, C×H×W"),
        (lenet(), torch.zeros(1, 28, 28), 0, "It takes 1×32×32"),
        (MODELS["mlp"](), torch.zeros(1, 28, 28), 0, "MLP has no `features`"),
    ],
)
def test_what_does_not_fit_is_explained(model, image, label, words):
    with pytest.raises(ValueError, match=words):
        grad_cam(model, image, label)
