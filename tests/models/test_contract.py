"""What every network keeps to, so that a student who has read one can read and use them all."""

import ast
import importlib
import inspect
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.models import MODELS
from tests.models.record_golden import shape_of
from tests.models.twins import one_thread

FILES = sorted(path for path in Path(inspect.getfile(MODELS["lenet"])).parent.glob("*.py") if path.stem != "__init__")
CIFAR = [name for name in MODELS if name.endswith("_cifar")]
IMAGENET = [name for name in MODELS if name not in (*CIFAR, "cnn", "mlp", "lenet", "lenet5")]
SPLIT = [name for name in MODELS if name != "mlp"]  # fully connected: no maps, so no features
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def meta(name: str, *arguments: int) -> nn.Module:
    """The network without weights: shapes only, in no time."""
    with torch.device("meta"):
        return MODELS[name](*arguments)


@cache
def usual(name: str) -> nn.Module:
    """The network as its constructor makes it by default."""
    return meta(name)


@cache
def run(name: str) -> tuple[list[nn.Module], torch.Tensor, torch.Tensor]:
    """The layers with weights in the order they run, the last maps (the image, if none), the logits."""
    model, order = usual(name).eval(), []
    layers = with_weights(model)
    handles = [layer.register_forward_pre_hook(lambda module, inputs: order.append(module)) for layer in layers]
    maps = images = torch.empty(2, *shape_of(name), device="meta")
    if name in SPLIT:
        maps = model.features(images)
        logits = model.classifier(maps)
    else:
        logits = model(images)
    for handle in handles:
        handle.remove()
    return order, maps, logits


def with_weights(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if list(module.parameters(recurse=False))]


@pytest.mark.parametrize("name", SPLIT)
def test_features_gives_maps_and_classifier_makes_logits_of_them(name):
    _, maps, logits = run(name)
    assert maps.ndim == 4 and logits.shape == (2, 1000 if name in IMAGENET else 10)


@pytest.mark.parametrize("name", SPLIT)
def test_forward_is_that_one_line(name):
    body = inspect.getsource(type(usual(name)).forward).strip().split("\n")[1:]
    assert [line.strip() for line in body] == ["return self.classifier(self.features(x))"]


@pytest.mark.parametrize("name", MODELS)
def test_modules_are_registered_in_the_order_they_run(name):
    assert all(ran is registered for ran, registered in zip(run(name)[0], with_weights(usual(name)), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_norms_have_pytorch_s_momentum(name):
    assert {m.momentum for m in usual(name).modules() if isinstance(m, nn.BatchNorm2d)} <= {0.1}


@pytest.mark.parametrize("name", IMAGENET)
def test_networks_for_imagenet_take_any_number_of_classes(name):
    first = next(iter(inspect.signature(MODELS[name]).parameters.values()))
    assert (first.name, first.default) == ("num_classes", 1000)
    assert meta(name, 7).eval().classifier(run(name)[1]).shape == (2, 7)


@pytest.mark.parametrize("name", CIFAR)
def test_small_networks_take_any_number_of_channels_and_classes(name):
    first, second, *_ = inspect.signature(MODELS[name]).parameters.values()
    assert (first.name, first.default, second.name, second.default) == ("in_channels", 3, "num_classes", 10)
    assert meta(name, 1, 5).eval()(torch.empty(2, 1, 32, 32, device="meta")).shape == (2, 5)


@pytest.mark.parametrize("name", CIFAR)
@one_thread()
def test_small_networks_train_on_images_of_32_pixels(name):
    torch.manual_seed(0)
    model = MODELS[name]()
    F.cross_entropy(model(torch.randn(2, 3, 32, 32)), torch.tensor([3, 7])).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "small"], ids=lambda path: path.stem)
def test_every_family_has_a_network_small_enough_to_train_in_class(path):
    # CIFAR ResNets are the small ones of ResNet; they have a file to themselves.
    family = {"resnet": "resnet_cifar"}.get(path.stem, path.stem)
    nets = [name for name in CIFAR if MODELS[name].__module__ == f"cnnlib.models.{family}"]
    sizes = [sum(p.numel() for p in usual(name).parameters()) for name in nets]
    assert any(50_000 <= size <= 1_500_000 for size in sizes)


@pytest.mark.parametrize("name", MODELS)
def test_constructors_are_explained_in_a_sentence(name):
    assert (inspect.getdoc(MODELS[name]) or "").split("\n")[0].endswith(".")


def code_lines(path: Path) -> set[int]:
    """Numbers of the lines that hold code: not blank, no comment, no docstring."""
    source = path.read_text(encoding="utf-8")
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines -= set(range(docstring.lineno, docstring.end_lineno + 1))
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_family_is_one_short_file(path):
    lines, tree = code_lines(path), ast.parse(path.read_text(encoding="utf-8"))
    assert len(lines) <= 120
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    lengths = {f.name: len(lines & set(range(f.lineno, f.end_lineno + 1))) for f in functions}
    assert {name: length for name, length in lengths.items() if length > 30} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_names_its_paper_first_and_exports_constructors_only(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert re.search(r"arXiv:\d{4}\.\d{5}|\b(19|20)\d\d\)", ast.get_docstring(tree))
    module = importlib.import_module(f"cnnlib.models.{path.stem}")
    assert set(module.__all__) == {name for name in MODELS if MODELS[name].__module__ == module.__name__}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("vision" in ast.unparse(node) for node in nodes)
