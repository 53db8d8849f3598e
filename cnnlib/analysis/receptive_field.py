"""Receptive fields: which pixels of the image a unit of each layer can see, by arithmetic on intervals of pixels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import fx, nn

from cnnlib.layers import SqueezeExcite, StochasticDepth

WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)  # layers that look at a window
# What else moves or mixes pixels.
OTHER = re.compile(
    "conv|pool|linear|flatten|mean|shuffle|upsample|interpolate|^pad|pad2d|roll|fold|getitem|matmul"
    "|(group|instance|layer)norm"
)


@dataclass(frozen=True)
class Field:
    """What the units of one module see of the image, in pixels, each as (height, width).

    The first unit's field begins at `start`, before the image where there is padding; the next unit's `step` further.
    """

    name: str
    size: tuple[int, int]
    step: tuple[int, int]
    start: tuple[int, int]


@dataclass(frozen=True)
class Span:
    """Along one axis: the pixels `first` to `last` that a map's first unit sees; the next sees those `step` further."""

    first: int = 0
    last: int = 0
    step: int = 1

    def through(self, window: nn.Module, axis: int) -> "Span":
        """What the first unit behind a window sees: from p units before this one to d(k-1)-p after it."""
        kernel, stride, dilation = (along(window, name, axis) for name in ("kernel_size", "stride", "dilation"))
        reach = dilation * (kernel - 1)
        padding = reach // 2 if window.padding == "same" else along(window, "padding", axis)
        last = self.last + (reach - padding) * self.step
        return Span(self.first - padding * self.step, last, self.step * stride)


def along(window: nn.Module, name: str, axis: int) -> int:
    """A layer's setting along one axis; average pools have no dilation, and "valid" is no padding."""
    value = getattr(window, name, 1)
    return 0 if value == "valid" else value[axis] if isinstance(value, tuple) else value


class Tracer(fx.Tracer):
    """Goes into a network's modules down to torch's own layers, to windows, and to what changes no field."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, (*WINDOWS, SqueezeExcite, StochasticDepth)) or super().is_leaf_module(module, name)


def receptive_field(model: nn.Module, depth: int = 1) -> list[Field]:
    """The field of each module's output, in order of execution, that of the whole (name "") last.

    `model` is a network of the course, of which `features` is looked at, or any module that puts out maps. Modules
    nested deeper than `depth` are left out. Convolutions and pools widen the field; a sum or stack of maps sees what
    any of them sees; everything else passes it on. The gate of a `SqueezeExcite` sees the whole image and is not
    counted. Weights do not matter: the model may be on the meta device. Raises ValueError for what looks at more than
    a window (fully connected layers, global pools), and for windows that are functions, not layers.
    """
    features = getattr(model, "features", model)
    rows: dict[str, tuple[Span, Span]] = {}
    for names, spans in walk(features):
        for name in reversed(names):
            rows.pop(name, None)  # a module's last operation is its output
            rows[name] = spans
    return [
        Field(
            name=name,
            size=tuple(span.last - span.first + 1 for span in spans),
            step=tuple(span.step for span in spans),
            start=tuple(span.first for span in spans),
        )
        for name, spans in rows.items()
        if name.count(".") < depth
    ]


def walk(features: nn.Module) -> Iterator[tuple[list[str], tuple[Span, Span]]]:
    """Each operation in order: the modules it happens in, outermost first, and what its result sees on both axes."""
    graph = Tracer().trace(nn.Sequential(features))
    modules = dict(features.named_modules())
    seen: dict[fx.Node, tuple[Span, Span]] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            seen[node] = (Span(), Span())
            continue
        inputs = [seen[before] for before in node.all_input_nodes if before in seen]
        if node.op == "output" or not inputs:  # without inputs: a weight
            continue
        names = [name.partition(".")[2] for name, _ in node.meta["nn_module_stack"].values()]
        spans = tuple(map(union, zip(*inputs)))
        module = modules[names[-1]] if node.op == "call_module" else None
        if isinstance(module, WINDOWS):
            spans = tuple(span.through(module, axis) for axis, span in enumerate(spans))
        elif OTHER.search((what := type(module).__name__ if module else node.name).lower()):
            raise ValueError(
                f"{what}, in {names[-1] or 'the model'}, is no layer whose window is known: these are "
                f"{', '.join(window.__name__ for window in WINDOWS)}. Of a network take the part before it."
            )
        seen[node] = spans
        yield names, spans


def union(spans: tuple[Span, ...]) -> Span:
    """What a sum or stack of maps sees. Raises ValueError where their units lie different steps apart."""
    if len({span.step for span in spans}) > 1:
        raise ValueError("Maps whose units lie different steps apart do not fit on each other: check the strides.")
    return Span(min(s.first for s in spans), max(s.last for s in spans), spans[0].step)
