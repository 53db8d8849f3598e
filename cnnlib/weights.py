"""Weights from elsewhere: of the same network under other names, and torchvision's, trained on ImageNet."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from cnnlib.models import MODELS
from cnnlib.vision import torchvision


class WeightsError(RuntimeError):
    """Pretrained weights are missing or broken; the message says which file, and what to do."""


@dataclass(frozen=True)
class Pretrained:
    """A network that has seen ImageNet, in evaluation mode, with what it needs around it.

    `preprocess` turns a PIL image, or bytes (uint8, 3×H×W or N×3×H×W), into what the model takes: cropped to the
    model's size and normalised. `classes` names the 1000 logits.
    """

    model: nn.Module
    preprocess: Callable[..., Tensor]
    classes: tuple[str, ...]


def load_in_order(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights saved under other names: the same shapes in the same order.

    Batch norm's counters of batches are left out on both sides: old files lack them, and no result depends on them.
    Raises ValueError for the weights of another architecture.
    """
    own, other = without_counters(model.state_dict()), without_counters(state)
    refusal = f"These weights belong to another architecture than this {type(model).__name__}"
    cure = "Build the network that they were saved from, with as many classes."
    for (name, mine), (theirs, tensor) in zip(own.items(), other.items()):
        if mine.shape != tensor.shape:
            raise ValueError(f"{refusal}: {name} is {shape(mine)}, in its place {theirs} is {shape(tensor)}. {cure}")
    if len(own) != len(other):
        raise ValueError(f"{refusal}: it has {len(own)} tensors, they are {len(other)}. {cure}")
    model.load_state_dict(dict(zip(own, other.values())), strict=False)


def pretrained(name: str) -> Pretrained:
    """One of our networks with torchvision's ImageNet weights, from torch's hub cache or else downloaded to it.

    Where torchvision has two sets, these are the first (IMAGENET1K_V1), trained by a plain recipe near the papers'.
    The file's checksum is compared, and nothing but tensors is read from it. Raises ValueError for a network without
    such weights, WeightsError where the file is neither there nor downloaded, or broken.
    """
    models = torchvision().models
    if name == "googlenet":
        raise ValueError(
            "torchvision's weights do not fit googlenet: its GoogLeNet has 3×3 convolutions where the paper, and ours, "
            "has 5×5. Take inception_v3, or train googlenet yourself."
        )
    names = [twin for twin in models.list_models(module=models) if twin in MODELS and twin != "googlenet"]
    if name not in names:
        raise ValueError(f"There are no pretrained weights for {name!r}, only for {', '.join(names)}.")
    weights = models.get_model_weights(name).IMAGENET1K_V1
    preprocess, options = weights.transforms(), {}
    if name == "inception_v3":
        # torchvision's forward turns other networks' normalised images into these; ours takes these.
        preprocess, options = weights.transforms(mean=(0.5,) * 3, std=(0.5,) * 3), {"init_weights": False}
    with torch.device("meta"):
        twin = models.get_model(name, **options)
    # Through the twin, since the order and the names in a file are older than the network.
    twin.load_state_dict(saved_state(weights), assign=True)
    model = MODELS[name]()
    load_in_order(model, {key: value for key, value in twin.state_dict().items() if not key.startswith("AuxLogits.")})
    return Pretrained(model.eval(), in_colour(preprocess), tuple(weights.meta["categories"]))


def in_colour(preprocess: Callable[[Any], Tensor]) -> Callable[[Any], Tensor]:
    """PIL images of other kinds (grey, with transparency, with a palette) are made red, green and blue first."""
    return lambda image: preprocess(image if isinstance(image, Tensor) else image.convert("RGB"))


def saved_state(weights) -> dict[str, Tensor]:
    """The tensors in the file of a torchvision weights entry, by the names that the network has today."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    beginning = path.stem.rpartition("-")[2]
    if path.is_file() and not checksum(path).startswith(beginning):
        raise WeightsError(f"{path} is damaged: its checksum does not begin with {beginning}. Delete it and try again.")
    try:
        state = weights.get_state_dict(check_hash=True, weights_only=True, map_location="cpu")
    except UnpicklingError as error:
        raise WeightsError(f"{path} holds more than tensors and was not opened. Delete it and try again.") from error
    except (OSError, HTTPException, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise WeightsError(
            f"The weights are not here, and fetching them failed: {reason}. Connect to the network, or download "
            f"{weights.url} on another machine and copy it to {path}."
        ) from error
    for key in list(state):
        # The first DenseNets called norm1 and conv1 "norm.1" and "conv.1".
        state[re.sub(r"\.(norm|conv)\.(\d)\.", r".\1\2.", key)] = state.pop(key)
    return state


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
