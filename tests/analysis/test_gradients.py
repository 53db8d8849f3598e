import pytest
import torch
from torch import Tensor, nn

from cnnlib.analysis import gradient_norms
from cnnlib.layers import ConvNormAct, linear_classifier


def squared(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Half the squared distance to the labels."""
    outputs = model(images)
    return (outputs - labels).square().sum() / 2, outputs


def test_the_norms_of_a_chain_of_two_numbers():
    # y = b·a·x with x = 2, a = 3, b = 5, label 26: the error is 4, dL/db = 4·a·x = 24, dL/da = 4·b·x = 40.
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    nn.init.constant_(model[0].weight, 3.0), nn.init.constant_(model[1].weight, 5.0)
    assert gradient_norms(model, torch.tensor([[2.0]]), torch.tensor([[26.0]]), squared) == [("0", 40.0), ("1", 24.0)]


def test_the_norm_of_a_layer_is_euclidean_over_all_its_weights():
    model = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(model.weight)
    norms = gradient_norms(model, torch.tensor([[3.0, 4.0]]), torch.tensor([[-1.0]]), squared)
    assert norms == [("", pytest.approx(5.0))]


class Backwards(nn.Module):
    """Runs its layers in another order than it lists them; one of them not at all, one for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.never, self.idle, self.first = (nn.Linear(3, 3) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        self.idle(hidden)
        return self.last(hidden)


def test_layers_come_in_the_order_of_execution_and_an_idle_one_has_no_gradient():
    torch.manual_seed(0)
    norms = gradient_norms(Backwards(), torch.randn(4, 3), torch.tensor([0, 1, 2, 0]))
    assert [name for name, _ in norms] == ["first", "idle", "last"]
    assert norms[0][1] > 0 and norms[1][1] == 0 and norms[2][1] > 0


def test_it_leaves_the_model_alone_and_skips_frozen_layers():
    torch.manual_seed(0)
    model = nn.Sequential(ConvNormAct(1, 4, 3), ConvNormAct(4, 4, 3), linear_classifier(4, 3)).eval()
    model[0].requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        norms = gradient_norms(model, torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))
    assert [name for name, _ in norms] == ["1.0", "2.3"]
    assert not model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_labels_that_do_not_fit_are_explained():
    with pytest.raises(ValueError, match="num_classes=8"):
        gradient_norms(linear_classifier(4, 3), torch.randn(2, 4, 5, 5), torch.tensor([0, 7]))
