import pytest
import torch
from torch import nn

from cnnlib.errors import accepts, explaining, explanation, on_meta
from cnnlib.models import cnn, googlenet, lenet, mlp, resnet18
from cnnlib.models.googlenet import auxiliary_loss
from cnnlib.training import Recipe, evaluate, train


def images(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


@pytest.mark.parametrize(
    ("model", "shape", "sentence"),
    [
        (lenet, (2, 1, 28, 28), r"LeNet does not fit images of 1×28×28. It takes 1×32×32. Pad\(2\)"),
        (lenet, (2, 3, 32, 32), r"takes 1 channel\(s\), these images have 3: build it with in_channels=3 if"),
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
    with pytest.raises(ValueError, match=r"labels run from 3 to 6, and MLP tells fewer classes\. .* num_classes=7"):
        evaluate(mlp(num_classes=5), [(images(4, 1, 28, 28), torch.arange(3, 7))])


def test_one_channel_too_few_is_repeated():
    with pytest.raises(ValueError, match=r"takes 3 channel\(s\), these images have 1: images.expand\(-1, 3, -1, -1\)"):
        evaluate(resnet18(), [(images(2, 1, 64, 64), torch.zeros(2, dtype=torch.int64))])


@pytest.mark.parametrize("labels", [torch.zeros(2, 1, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)])
def test_labels_that_do_not_pair_up_with_the_images_are_counted(labels):
    with pytest.raises(ValueError, match=r"2 images need 2 labels, one number each; these are [23]"):
        evaluate(mlp(), [(images(2, 1, 28, 28), labels)])


def test_an_image_that_only_the_auxiliary_classifiers_refuse_is_refused_by_its_size():
    batch = [(images(2, 3, 96, 96), torch.zeros(2, dtype=torch.int64))]
    with torch.device("meta"):
        model = googlenet(auxiliary=True)
    assert accepts(googlenet(), 3, 96, 96) and not accepts(model, 3, 96, 96)
    with pytest.raises(ValueError, match=r"does not fit images of 3×96×96. Of the sizes tried it takes 3×224×224"):
        next(train(model.to_empty(device="cpu"), batch, Recipe(1, 0.1), loss=auxiliary_loss))


@pytest.mark.parametrize(("model", "images"), [(torch.float32, torch.float64), (torch.float64, torch.float32)])
def test_floats_of_another_size_are_named(model, images):
    batch = [(torch.zeros(2, 1, 32, 32, dtype=images), torch.zeros(2, dtype=torch.int64))]
    with pytest.raises(ValueError, match=rf"LeNet computes in {model}, these images are {images}: write images.to"):
        evaluate(lenet().to(model), batch)
    wrong = [(torch.zeros(2, 1, 28, 28, dtype=model), torch.zeros(2, dtype=torch.int64))]
    with pytest.raises(ValueError, match=r"LeNet does not fit images of 1×28×28. It takes 1×32×32\."):
        evaluate(lenet().to(model), wrong)


def test_batch_norm_with_one_image_is_explained():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="cannot train on one image"):
        next(train(net, [(images(1, 1, 8, 8), torch.tensor([0]))], Recipe(1, 0.1)))


def test_an_error_of_another_kind_passes_unchanged():
    with pytest.raises(RuntimeError, match=r"^out of luck$"), explaining(lenet(), images(1, 1, 32, 32)):
        raise RuntimeError("out of luck")


class Unlucky(nn.Module):
    """Takes images of no size: what goes wrong in it has nothing to do with them."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.conv, self.error = nn.Conv2d(1, 2, 3), error

    def forward(self, images):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("out of luck"), IndexError("list index out of range")])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_error_that_no_size_mends_passes_unchanged(error, channels):
    with pytest.raises(type(error), match=f"^{error}$"):
        evaluate(Unlucky(error), [(images(2, channels, 28, 28), torch.zeros(2, dtype=torch.int64))])


def test_too_little_memory_is_not_explained_by_the_size():
    assert explanation(torch.OutOfMemoryError("out of memory"), lenet(), images(2, 1, 28, 28), None) is None


@pytest.mark.parametrize("model", [lenet, mlp])
def test_bytes_are_named_with_the_transform_that_is_missing(model):
    side = 32 if model is lenet else 28
    batch = [(torch.zeros(2, 1, side, side, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))]
    with pytest.raises(ValueError, match=r"takes floats; these are torch.uint8: put Normalize\(train part\) among"):
        evaluate(model(), batch)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (torch.tensor([-1, 3]), "labels begin at 0; the smallest here is -1"),
        (torch.zeros(2, dtype=torch.int32), r"type torch.int64; these are torch.int32: write labels.long\(\)"),
        (torch.zeros(2), r"type torch.int64; these are torch.float32"),
    ],
)
def test_labels_of_another_kind_are_named(labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(mlp(), [(images(2, 1, 28, 28), labels)])


def test_an_assertion_on_the_device_is_explained_without_reading_from_it():
    unreadable = torch.zeros(2, 1, 28, 28, device="meta")  # as after the assertion: no value can be read
    error = RuntimeError("CUDA error: device-side assert triggered")
    sentence = explanation(error, mlp(), unreadable, torch.zeros(2, dtype=torch.int64, device="meta"))
    assert "label is out of range" in sentence and "CNNLIB_DEVICE=cpu and restart the kernel" in sentence


def test_padding_is_advised_for_28_pixels_only():
    with pytest.raises(ValueError, match=r"It takes 1×32×32\.$"):
        evaluate(lenet(), [(images(2, 1, 30, 30), torch.zeros(2, dtype=torch.int64))])


def test_a_copy_on_meta_shares_what_was_shared_and_leaves_the_model_alone():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    copied = on_meta(model)
    assert copied[2].weight is copied[0].weight and not copied[0].bias.requires_grad
    assert all(value.is_meta for value in copied.state_dict().values())
    assert not any(value.is_meta for value in model.state_dict().values())


def test_no_weight_is_copied_to_find_out_what_fits(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("a weight was copied")

    model = lenet()
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", refuse)
    assert accepts(model, 1, 32, 32) and not accepts(model, 1, 28, 28)
