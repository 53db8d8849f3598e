"""Weights by order, and torchvision's weights from files of the same kind as torchvision's, made here."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnlib.models import MODELS, resnet18
from cnnlib.vision import torchvision
from cnnlib.weights import WeightsError, load_in_order, pretrained
from tests.models.twins import TWINS, fill, uniform

State = dict[str, Tensor]
Offer = Callable[[str, State], Path]


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch) -> Path:
    """An empty hub cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    return tmp_path / "hub" / "hub" / "checkpoints"


@pytest.fixture
def offer(tmp_path, monkeypatch) -> Offer:
    """Save a state as torchvision's weights of this name, under a name with its checksum, to be fetched from there."""

    def offered(name: str, state: State) -> Path:
        torch.save(state, tmp_path / "new")
        digest = hashlib.sha256((tmp_path / "new").read_bytes()).hexdigest()
        path = (tmp_path / "new").rename(tmp_path / f"{name}-{digest[:8]}.pth")
        monkeypatch.setattr(torchvision().models.get_model_weights(name).IMAGENET1K_V1.value, "url", path.as_uri())
        return path

    return offered


def filled(name: str) -> nn.Module:
    """torchvision's network with random weights, as it is built to load its own."""
    torch.manual_seed(0)
    options = {"init_weights": False, "transform_input": True} if name == "inception_v3" else {}
    with torch.device("meta"):
        twin = torchvision().models.get_model(name, **options)
    fill(twin.to_empty(device="cpu"), torch.randn(1, 3, 96, 96), uniform())
    return twin


@torch.no_grad()
def logits(model: nn.Module, x: Tensor) -> Tensor:
    return model.eval()(x)


def test_weights_move_between_networks_with_the_same_shapes_in_the_same_order():
    one = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2))
    other = nn.ModuleDict({"a": nn.Conv2d(3, 4, 3), "b": nn.BatchNorm2d(4), "c": nn.Linear(4 * 36, 2)})
    nn.init.uniform_(other["b"].running_var, 0.5, 2)
    state = other.state_dict()
    del state["b.num_batches_tracked"]  # as in files of before 2018
    load_in_order(one, state)
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(logits(one, x), other["c"](other.eval()["b"](other["a"](x)).flatten(1)))


def test_another_architecture_is_refused_and_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = model[0].weight.clone()
    with pytest.raises(ValueError, match=re.escape("1.weight is 2×4, in its place 1.weight is 5×4. Build the network")):
        load_in_order(model, nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5)).state_dict())
    with pytest.raises(ValueError, match="it has 4 tensors, they are 2"):
        load_in_order(model, nn.Linear(3, 4).state_dict())
    assert torch.equal(model[0].weight, before)


def test_a_network_with_pretrained_weights_gives_torchvision_s_logits_from_the_same_photo(offer, hub):
    twin = filled("resnet18")
    path = offer("resnet18", twin.state_dict())
    net = pretrained("resnet18")
    image = torch.randint(256, (3, 80, 100), dtype=torch.uint8)
    x = net.preprocess(image)[None]
    assert x.shape == (1, 3, 224, 224) and not net.model.training
    torch.testing.assert_close(logits(net.model, x), logits(twin, x), rtol=0, atol=0)
    assert len(net.classes) == 1000 and net.classes[0] == "tench"
    # Kept by torch's hub, and found there from now on.
    path.unlink()
    torch.testing.assert_close(logits(pretrained("resnet18").model, x), logits(twin, x), rtol=0, atol=0)
    assert [file.name for file in hub.iterdir()] == [path.name]


def test_images_of_any_kind_are_made_red_green_and_blue_first(offer):
    offer("mnasnet0_5", filled("mnasnet0_5").state_dict())
    preprocess = pretrained("mnasnet0_5").preprocess
    photo = Image.fromarray(torch.randint(256, (80, 100, 3), dtype=torch.uint8).numpy())
    assert torch.equal(preprocess(photo), preprocess(photo.convert("RGBA")))
    assert preprocess(photo.convert("L")).shape == preprocess(photo.convert("P")).shape == (3, 224, 224)


def test_densenet_s_old_names_are_understood(offer):
    twin = filled("densenet121")
    old = {re.sub(r"\.(norm|conv)([12])\.", r".\1.\2.", key): value for key, value in twin.state_dict().items()}
    old = {key: value for key, value in reversed(old.items()) if not key.endswith("num_batches_tracked")}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    offer("densenet121", old)
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(logits(pretrained("densenet121").model, x), logits(twin, x), rtol=0, atol=0)


def test_inception_gets_the_images_that_torchvision_makes_inside_its_forward(offer):
    twin = filled("inception_v3")
    offer("inception_v3", twin.state_dict())
    net = pretrained("inception_v3")
    image = torch.randint(256, (3, 80, 100), dtype=torch.uint8)
    usual = torchvision().models.Inception_V3_Weights.IMAGENET1K_V1.transforms()
    x = net.preprocess(image)[None]
    assert x.shape == (1, 3, 299, 299)
    torch.testing.assert_close(logits(net.model, x), logits(twin, usual(image)[None]), rtol=1e-4, atol=1e-4)


def test_mnasnet_which_asks_for_the_file_s_version_loads(offer):
    twin = filled("mnasnet0_5")
    offer("mnasnet0_5", twin.state_dict())
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(logits(pretrained("mnasnet0_5").model, x), logits(twin, x), rtol=0, atol=0)


def test_all_twins_but_googlenet_have_weights():
    with pytest.raises(ValueError, match="There are no pretrained weights for 'resnet19', only for") as caught:
        pretrained("resnet19")
    names = str(caught.value).partition("only for ")[2].rstrip(".").split(", ")
    assert sorted(names) == sorted(name for name in TWINS if name in MODELS and name != "googlenet")


def test_googlenet_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="has 3×3 convolutions where the paper, and ours, has 5×5"):
        pretrained("googlenet")


def test_without_a_network_the_message_says_what_to_fetch_and_where_to_put_it(monkeypatch, hub):
    url = "https://weights.invalid/resnet18-12345678.pth"  # no such host, anywhere
    monkeypatch.setattr(torchvision().models.ResNet18_Weights.IMAGENET1K_V1.value, "url", url)
    with pytest.raises(WeightsError, match="Connect to the network, or download") as caught:
        pretrained("resnet18")
    assert url in str(caught.value) and str(hub / "resnet18-12345678.pth") in str(caught.value)


def test_a_file_that_is_not_the_one_expected_is_neither_downloaded_nor_used(offer, hub):
    path = offer("resnet18", resnet18().state_dict())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="invalid hash value"):
        pretrained("resnet18")
    path.rename(hub / path.name)
    with pytest.raises(WeightsError, match="is damaged: its checksum does not begin with"):
        pretrained("resnet18")


def test_a_file_with_anything_but_tensors_is_not_opened(offer):
    offer("resnet18", {"conv1.weight": Path("anything")})
    with pytest.raises(WeightsError, match="holds more than tensors and was not opened"):
        pretrained("resnet18")
