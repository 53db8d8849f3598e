import pytest
import torch

from cnnlib.analysis import summary
from cnnlib.models import lenet


@pytest.mark.parametrize(("channels", "parameters"), [(1, 61_706), (3, 62_006)])
def test_parameters(channels, parameters):
    assert sum(p.numel() for p in lenet(channels).parameters()) == parameters


def test_maps_have_the_sizes_of_the_paper():
    shapes = [cost.shape for cost in summary(lenet(), (1, 32, 32)) if cost.kind in ("Conv2d", "MaxPool2d", "Linear")]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]


def test_features_and_classifier_make_the_logits():
    model, images = lenet().eval(), torch.randn(2, 1, 32, 32)
    assert model.features(images).shape == (2, 16, 5, 5)
    torch.testing.assert_close(model(images), model.classifier(model.features(images)))
