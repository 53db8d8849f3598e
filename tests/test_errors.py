import pytest
import torch
from torch import nn

from cnnlib.errors import explaining
from cnnlib.models import cnn, lenet, mlp
from cnnlib.training import Recipe, evaluate, train


def images(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


@pytest.mark.parametrize(
    ("model", "shape", "sentence"),
    [
        (lenet, (2, 1, 28, 28), r"LeNet does not fit images of 1×28×28. It takes 1×32×32. Pad\(2\)"),
        (lenet, (2, 3, 32, 32), r"takes 1 channel\(s\), these images have 3: build it with in_channels=3"),
        (mlp, (2, 3, 32, 32), r"MLP does not fit images of 3×32×32. It takes 1×28×28."),
        (cnn, (2, 1, 6, 6), r"SmallCNN does not fit images of 1×6×6. It takes 1×28×28."),
        (cnn, (28, 28), r"batches of shape N×C×H×W; this one is 28×28"),
    ],
)
def test_images_that_do_not_fit_are_named_with_a_remedy(model, shape, sentence):
    batch = [(images(*shape), torch.zeros(shape[0], dtype=torch.int64))]
    with pytest.raises(ValueError, match=sentence):
        next(train(model(), batch, Recipe(1, 0.1)))
    with pytest.raises(ValueError, match=sentence):
        evaluate(model(), batch)


def test_a_label_without_a_class_is_named():
    with pytest.raises(ValueError, match="labels run from 3 to 6: MLP needs num_classes=7"):
        evaluate(mlp(num_classes=5), [(images(4, 1, 28, 28), torch.arange(3, 7))])


def test_batch_norm_with_one_image_is_explained():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="cannot train on one image"):
        next(train(net, [(images(1, 1, 8, 8), torch.tensor([0]))], Recipe(1, 0.1)))


def test_an_error_of_another_kind_passes_unchanged():
    with pytest.raises(RuntimeError, match=r"^out of luck$"), explaining(lenet(), images(1, 1, 32, 32)):
        raise RuntimeError("out of luck")
