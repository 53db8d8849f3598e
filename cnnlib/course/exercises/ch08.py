"""Exercises of chapter 08: reading the table, counting a module, split kernels, smooth labels, folded norms."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.models.googlenet import MODULES, conv_bias_act, inception

Row = tuple[int, ...]

# maps_after and module_parameters: the library's module is built, run and counted.


def built(inputs: int, row: Row) -> nn.Module:
    with torch.device("meta"):
        return inception(inputs, row, conv_bias_act)


def any_row(generator: Generator) -> Row:
    return tuple(between(2, 40, generator) for _ in range(6))


def maps_of_module(row: Row) -> int:
    return built(3, row)(torch.empty(1, 3, 5, 5, device="meta")).shape[1]


MAPS_AFTER = Exercise(
    signature="maps_after(row)",
    properties=(
        Property("any row", lambda g: (any_row(g),), maps_of_module),
        Property("4a: 512", lambda g: (MODULES["4a"],), maps_of_module, trials=1),
        Property("4d: 528", lambda g: (MODULES["4d"],), maps_of_module, trials=1),
    ),
    mistakes=(
        Mistake(
            "all six numbers are added up",
            "what a reduction puts out goes into the 3×3 or the 5×5, not out of the module.",
            answers(sum),
        ),
        Mistake(
            "the reductions are counted, not what comes behind them",
            "a branch puts out what its last convolution puts out.",
            answers(lambda row: row[0] + row[1] + row[3] + row[5]),
        ),
        Mistake(
            "the branch behind the pool is missing",
            "four branches are stacked.",
            answers(lambda row: row[0] + row[2] + row[4]),
        ),
        Mistake(
            "the largest branch, not all of them",
            "stacking adds the numbers of maps up.",
            lambda got, row: agree(got, max(row)) or agree(got, max(row[0], row[2], row[4], row[5])),
        ),
        Mistake(
            "one of the branches is missing",
            "four are stacked.",
            lambda got, row: got in [row[0] + row[2] + row[4] + row[5] - row[k] for k in (0, 2, 4)],
        ),
    ),
    hint="draw the four branches and write beside each what comes out of its last convolution.",
)


def counted(inputs: int, row: Row) -> int:
    return sum(p.numel() for p in built(inputs, row).parameters())


def without(part: Callable[[int, Row], int]) -> Callable[..., bool]:
    return answers(lambda inputs, row: counted(inputs, row) - part(inputs, row))


def weight_count(inputs: int, row: Row) -> int:
    return sum(p.numel() for p in built(inputs, row).parameters() if p.ndim > 1)


MODULE_PARAMETERS = Exercise(
    signature="module_parameters(inputs, row)",
    properties=(
        Property("any module", lambda g: (between(2, 60, g), any_row(g)), counted),
        Property("3a: 163,696", lambda g: (192, MODULES["3a"]), counted, trials=1),
        Property("5b: 1,444,080", lambda g: (832, MODULES["5b"]), counted, trials=1),
    ),
    mistakes=(
        Mistake(
            "the biases are missing",
            "every convolution has one for each map that it puts out, the reductions too.",
            answers(weight_count),
        ),
        Mistake(
            "the reductions have no biases",
            "there are six convolutions in a module, each with biases.",
            without(lambda inputs, row: row[1] + row[3]),
        ),
        Mistake(
            "the 3×3 and the 5×5 see all the maps that come in",
            "they see what the reduction before them puts out.",
            answers(lambda n, r: (n + 1) * (r[0] + r[1] + r[3] + r[5]) + (9 * n + 1) * r[2] + (25 * n + 1) * r[4]),
        ),
        Mistake(
            "the reductions are missing",
            "before the 3×3 and before the 5×5 stands a 1×1 convolution with weights of its own.",
            without(lambda inputs, row: (inputs + 1) * (row[1] + row[3])),
        ),
        Mistake(
            "the 1×1 convolution behind the pool is missing",
            "the pool has no parameters, what stands behind it has.",
            without(lambda inputs, row: (inputs + 1) * row[5]),
        ),
        Mistake(
            "k, not k·k",
            "a window of 3×3 has nine weights for each map.",
            without(lambda inputs, row: 6 * row[1] * row[2] + 20 * row[3] * row[4]),
        ),
        Mistake(
            "both windows are counted as 3×3",
            "the second has 25 weights for each map.",
            without(lambda inputs, row: 16 * row[3] * row[4]),
        ),
        Mistake(
            "the pool is counted as a 3×3 convolution",
            "a pool has no weights; behind it stands a 1×1.",
            answers(lambda n, row: counted(n, row) + 8 * n * row[5]),
        ),
        Mistake(
            "a bias for each weight of the window",
            "one a map.",
            answers(lambda n, row: counted(n, row) + 8 * row[2] + 24 * row[4]),
        ),
    ),
    hint="six convolutions: for each (maps in · side · side + 1) · maps out. Which maps go into each?",
    remarks=(
        Mistake(
            "not a whole number",
            "a number of parameters is whole.",
            lambda got, *_: isinstance(got, float),
        ),
    ),
)


# joined: the single kernel's maps must be those of the two convolutions.


def row_and_column(one: bool) -> Callable[[Generator], tuple[Tensor, Tensor]]:
    """Draws kernels of 1×k and k×1; with `one` map in, between and out."""

    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        side = 2 * between(1, 3, generator) + 1
        into, middle, out = (1, 1, 1) if one else (between(2, 3, generator), 4, between(5, 6, generator))
        across = torch.randn(middle, into, 1, side, generator=generator)
        return across, torch.randn(out, middle, side, 1, generator=generator)

    return draw


def by_impulses(across: Tensor, down: Tensor) -> Tensor:
    """The kernel that answers a single 1 in each map as the two convolutions do, one after the other."""
    into, side = across.shape[1], across.shape[3]
    spot = torch.zeros(into, into, 2 * side - 1, 2 * side - 1)
    spot[range(into), range(into), side - 1, side - 1] = 1
    return F.conv2d(F.conv2d(spot, across), down).flip(2, 3).transpose(0, 1)


JOINED = Exercise(
    signature="joined(across, down)",
    properties=(
        Property("one map in, between and out", row_and_column(True), by_impulses),
        Property("several maps", row_and_column(False), by_impulses),
    ),
    mistakes=(
        Mistake(
            "the kernel is transposed",
            "`across` runs along a row of the kernel, `down` along a column.",
            lambda got, a, d: agree(got, by_impulses(a, d).transpose(2, 3)),
        ),
        Mistake(
            "the row and the column are added, not multiplied",
            "a weight of the row is multiplied by a weight of the column: the pixel passes through both.",
            lambda got, a, d: a.shape[:2] == (1, 1) and agree(got, a + d),
        ),
        Mistake(
            "the kernel is turned round",
            "these layers do not flip a kernel: weight (i, j) is column weight i times row weight j.",
            lambda got, a, d: agree(got, by_impulses(a, d).flip(2, 3)),
        ),
        Mistake(
            "the first map between is taken, not the sum over all of them",
            "each map between passes something on; add it all up.",
            lambda got, a, d: agree(got, by_impulses(a[:1], d[:, :1])),
        ),
        Mistake(
            "the mean over the maps between, not the sum",
            "a convolution adds up what comes in.",
            lambda got, a, d: len(a) > 1 and agree(got, by_impulses(a, d) / len(a)),
        ),
        Mistake(
            "two axes are missing",
            "a kernel for one map in and one out has the shape 1×1×k×k.",
            lambda got, a, d: agree(got, by_impulses(a, d)[0, 0]),
        ),
        Mistake(
            "maps in and maps out are exchanged",
            "the first axis of a kernel counts the maps that come out.",
            lambda got, a, d: agree(got, by_impulses(a, d).transpose(0, 1)),
        ),
    ),
    hint="write it for one map first: which weight does the pixel in row i, column j of the window get?",
    errors={
        "must match the size": "down has the shape out×between×k×1, across between×in×1×k: line the axes up.",
        "einsum": "four letters a kernel: `bixk` and `obky`, say; the letter for `between` is in both, and not in the "
        "result.",
    },
)


# smooth_loss: torch's own.


def logits_and_labels(epsilon: float) -> Callable[[Generator], tuple[Tensor, Tensor, float]]:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        images, classes = between(3, 6, generator), between(3, 8, generator)
        labels = torch.randint(classes, (images,), generator=generator)
        return 3 * torch.randn(images, classes, generator=generator), labels, epsilon

    return draw


def smoothed(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    return F.cross_entropy(logits, labels, label_smoothing=epsilon)


def with_targets(make: Callable[[Tensor, float], Tensor], reduce: Callable = torch.mean) -> Callable[..., bool]:
    """Recognises the cross-entropy with targets made so of one-hot labels."""

    def wrong(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
        hot = F.one_hot(labels, logits.shape[1]).float()
        return reduce(-(make(hot, epsilon) * logits.log_softmax(1)).sum(1))

    return answers(wrong)


def on_probabilities(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    return F.cross_entropy(logits.softmax(1), labels, label_smoothing=epsilon)


SMOOTH_LOSS = Exercise(
    signature="smooth_loss(logits, labels, epsilon)",
    properties=(
        Property("no smoothing: the cross-entropy", logits_and_labels(0.0), smoothed),
        Property("epsilon 0.1, as in v3", logits_and_labels(0.1), smoothed),
        Property("epsilon 0.4", logits_and_labels(0.4), smoothed),
    ),
    mistakes=(
        Mistake(
            "the labels are not smoothed",
            "the right class gets 1 − ε, and ε is shared out among all classes.",
            with_targets(lambda hot, e: hot),
        ),
        Mistake(
            "epsilon is shared among the wrong classes only",
            "here all K classes get ε/K, the right one too, as in the paper.",
            with_targets(lambda hot, e: (1 - e) * hot + e * (1 - hot) / (hot.shape[1] - 1)),
        ),
        Mistake(
            "every class gets epsilon, not its share of it",
            "the targets of an image must add up to 1: divide ε by the number of classes.",
            with_targets(lambda hot, e: (1 - e) * hot + e),
        ),
        Mistake(
            "the right class keeps all of its 1",
            "what is shared out is taken from it: 1 − ε.",
            with_targets(lambda hot, e: hot + e / hot.shape[1]),
        ),
        Mistake(
            "nothing is shared out",
            "the right class gives ε away; the others must get it.",
            with_targets(lambda hot, e: (1 - e) * hot),
        ),
        Mistake(
            "the sum over the images, not the mean",
            "the loss of a batch is the mean over its images.",
            with_targets(lambda hot, e: (1 - e) * hot + e / hot.shape[1], torch.sum),
        ),
        Mistake(
            "the sign is missing",
            "a logarithm of a probability is below 0: the loss is minus it.",
            with_targets(lambda hot, e: -((1 - e) * hot + e / hot.shape[1])),
        ),
        Mistake(
            "softmax twice",
            "F.cross_entropy takes logits, and log_softmax is what you want of them.",
            answers(on_probabilities),
        ),
        Mistake(
            "the right class gets 1 − ε only",
            "it gets its share ε/K on top.",
            with_targets(lambda hot, e: (1 - e) * hot + e / hot.shape[1] * (1 - hot)),
        ),
        Mistake(
            "the mean over all N·K numbers",
            "sum over the classes, mean over the images.",
            with_targets(lambda hot, e: ((1 - e) * hot + e / hot.shape[1]) / hot.shape[1]),
        ),
    ),
    hint="make the targets first: N×K numbers, each row adding up to 1. Then minus targets times log_softmax.",
    errors={
        "must match the size": "one_hot(labels, K) gives each label a row of K numbers.",
        "Class values": "one_hot wants the number of classes: logits.shape[1].",
    },
)


# fold_norm: the folded convolution must give the maps of both layers in evaluation.


def trained_pair(generator: Generator) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution without bias and a batch norm behind it, as they are after some training."""
    conv = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    norm = nn.BatchNorm2d(5, eps=1e-3).eval()
    with torch.no_grad():
        conv.weight.normal_(0, 0.3, generator=generator)
        norm.weight.uniform_(0.5, 2, generator=generator)
        for values in (norm.bias, norm.running_mean):
            values.normal_(0, 1, generator=generator)
        norm.running_var.uniform_(0.01, 0.1, generator=generator)
    return conv, norm


def probe() -> Tensor:
    return torch.randn(2, 3, 6, 6, generator=Generator().manual_seed(5))


def both(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> dict[str, Any]:
    with torch.no_grad():
        return {"weight and bias": True, "maps": norm(conv(probe()))}


def folded(fold_norm: Callable, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> dict[str, Any]:
    """The maps of one convolution with the weight and bias that came back."""
    answer = fold_norm(conv, norm)
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        return {"weight and bias": False}
    weight, bias = (torch.as_tensor(part).detach().float() for part in answer)
    fits = weight.shape == conv.weight.shape and bias.shape == (5,)
    return {"weight and bias": fits, "maps": F.conv2d(probe(), weight, bias, padding=1) if fits else None}


def folded_by(make: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., bool]:
    """Recognises another rule: `make(weight, scale, shift, mean, variance, eps)`."""

    def looks_like(got: dict, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> bool:
        scale, shift, mean, variance = (
            t.detach()[:, None, None, None] for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        )
        weight, bias = make(conv.weight.detach(), scale, shift, mean, variance, norm.eps)
        return agree(got.get("maps"), F.conv2d(probe(), weight, bias.flatten(), padding=1))

    return looks_like


FOLD_NORM = Exercise(
    signature="fold_norm(conv, norm)",
    properties=(
        Property(
            "a weight and a bias come back",
            trained_pair,
            lambda conv, norm: {"weight and bias": True},
            folded,
        ),
        Property("the maps are those of both layers", trained_pair, both, folded),
    ),
    mistakes=(
        Mistake(
            "not a weight and a bias",
            "return two tensors: a weight of the shape of conv.weight, and one bias for each map that comes out.",
            lambda got, *_: not got["weight and bias"],
        ),
        Mistake(
            "the running mean is forgotten",
            "the norm subtracts it before it scales: what does that leave in the bias?",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v + e) ** 0.5, b)),
        ),
        Mistake(
            "the running mean is subtracted unscaled",
            "it is subtracted first and then scaled with the rest.",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v + e) ** 0.5, b - m)),
        ),
        Mistake(
            "divided by the variance, not by its root",
            "the norm divides by the deviation.",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v + e), b - m * a / (v + e))),
        ),
        Mistake(
            "eps is forgotten",
            "the norm adds it to the variance before it takes the root.",
            folded_by(lambda w, a, b, m, v, e: (w * a / v**0.5, b - m * a / v**0.5)),
        ),
        Mistake(
            "the norm's own scale is forgotten",
            "norm.weight multiplies what was normalised.",
            folded_by(lambda w, a, b, m, v, e: (w / (v + e) ** 0.5, b - m / (v + e) ** 0.5)),
        ),
        Mistake(
            "the norm's own shift is forgotten",
            "norm.bias is added at the end.",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v + e) ** 0.5, -m * a / (v + e) ** 0.5)),
        ),
        Mistake(
            "the weights are as they were",
            "scaling the maps is scaling the kernels that make them.",
            folded_by(lambda w, a, b, m, v, e: (w, b - m * a / (v + e) ** 0.5)),
        ),
        Mistake(
            "eps is added behind the root",
            "it is added to the variance, below the root.",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v**0.5 + e), b - m * a / (v**0.5 + e))),
        ),
        Mistake(
            "the mean is added",
            "it is subtracted.",
            folded_by(lambda w, a, b, m, v, e: (w * a / (v + e) ** 0.5, b + m * a / (v + e) ** 0.5)),
        ),
    ),
    hint="write the norm in evaluation as factor · x + rest, one factor and one rest for each map; then x = weight · p",
    errors={
        "must match the size": "one factor a map: give it the shape of 5×1×1×1 with [:, None, None, None].",
        "requires grad": "detach the weights, or work under torch.no_grad().",
    },
)


# own_module: what comes back is measured, one map at a time.

INPUTS, SIDE = 192, 28
FEWEST_MAPS, MOST_MACS = 256, 64_000_000
SEEN = (1, 3, 5)


def fields_of(module: nn.Module) -> list[int]:
    """How wide each map that comes out looks, found by poking pixels: every weight is made positive for it."""
    for parameter in module.parameters():
        parameter.data = parameter.data.abs() + 0.01
        if parameter.ndim > 1:  # each unit takes a mean: nothing saturates
            parameter.data /= parameter.data.flatten(1).sum(1).view(-1, *[1] * (parameter.ndim - 1))
    images = torch.rand(1, INPUTS, 15, 15) + 0.5
    with torch.no_grad():
        before = module(images)
        wide = torch.ones(before.shape[1], dtype=torch.long)
        for away in range(1, 7):
            poked = images.clone()
            poked[:, :, 7, 7 + away] += 2
            moved = ((module(poked) - before).abs() > 1e-4 * before.abs())[0, :, 7, 7]
            wide[moved] = 2 * away + 1
    return wide.tolist()


def measured(own_module: Callable, inputs: int) -> dict[str, Any]:
    """Shape, work and fields of the module, and whether all of it learns."""
    module = own_module(inputs)
    if not isinstance(module, nn.Module):
        return {"a module": False}
    maps = module(torch.randn(2, INPUTS, SIDE, SIDE))
    facts: dict[str, Any] = {"a module": True, "maps": maps.shape[1] if maps.ndim == 4 else 0}
    facts["side"] = tuple(maps.shape[2:])
    if facts["side"] != (SIDE, SIDE):
        return facts | {f"maps of {SIDE}×{SIDE}": False}
    maps.square().sum().backward()
    idle = sum(p.grad is None for p in module.parameters())
    macs = summary(module, (INPUTS, SIDE, SIDE), depth=1)[-1].macs
    seen = sorted(set(fields_of(module.eval())))
    return facts | {
        f"maps of {SIDE}×{SIDE}": True,
        f"at least {FEWEST_MAPS} maps": facts["maps"] >= FEWEST_MAPS,
        "MACs": macs,
        f"at most {MOST_MACS:,} multiply-adds": macs <= MOST_MACS,
        "fields": seen,
        "maps that see 1, 3 and 5 pixels across": set(SEEN) <= set(seen),
        "weights without a gradient": idle,
    }


def goal(*says: str) -> Property:
    return Property("; ".join(says), lambda g: (INPUTS,), lambda inputs: dict.fromkeys(says, True), measured, trials=1)


OWN_MODULE = Exercise(
    signature="own_module(inputs)",
    properties=(
        goal("a module"),
        goal(f"maps of {SIDE}×{SIDE}", f"at least {FEWEST_MAPS} maps"),
        goal(f"at most {MOST_MACS:,} multiply-adds"),
        goal("maps that see 1, 3 and 5 pixels across"),
        Property("every weight learns", lambda g: (INPUTS,), lambda i: {"weights without a gradient": 0}, measured, 1),
    ),
    mistakes=(
        Mistake(
            "no module came back",
            "return the module itself, an nn.Module, not the maps it makes.",
            lambda got, inputs: not got["a module"],
        ),
        Mistake(
            "the maps changed their size",
            "pad by half the window; and a pool in a module has stride 1.",
            lambda got, inputs: got["a module"] and got["side"] != (SIDE, SIDE),
        ),
        Mistake(
            "too few maps",
            "the branches' numbers of maps add up.",
            lambda got, inputs: 0 < got.get("maps", 0) < FEWEST_MAPS,
        ),
        Mistake(
            "too much work",
            "which branch has most weights? Reduce before it, or take its window apart.",
            lambda got, inputs: got.get("MACs", 0) > MOST_MACS,
        ),
        Mistake(
            "a window size is missing",
            "some maps are to see one pixel, some three across, some five.",
            lambda got, inputs: "fields" in got and not set(SEEN) <= set(got["fields"]),
        ),
        Mistake(
            "a layer that nothing passes through",
            "some weights got no gradient: is every branch stacked?",
            lambda got, inputs: got.get("weights without a gradient", 0) > 0,
        ),
    ),
    hint="begin with the chapter's `inception(192, (64, 96, 128, 16, 32, 32))`: 128 million. What do its parts cost?",
    errors={
        "Sizes of tensors must match": "the branches' maps differ in size: pad each window by half its side.",
        "to have": "what goes into a convolution has another number of maps than it was built for.",
    },
)

EXERCISES = (MAPS_AFTER, MODULE_PARAMETERS, JOINED, SMOOTH_LOSS, FOLD_NORM, OWN_MODULE)
