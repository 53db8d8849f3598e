"""Exercises of chapter 10: connections, maps, parameters and memory of dense blocks, and a block of one's own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlib.analysis import summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.models.densenet import DenseBlock, DenseLayer, bottleneck_layer, plain_layer

# connections: a block is run, and each layer notes what it is handed.


def some_blocks(generator: Generator) -> list[int]:
    return [between(2, 9, generator) for _ in range(between(2, 4, generator))]


def handed(blocks: Sequence[int]) -> int:
    """How many parcels the layers of such blocks are handed, counted while they run."""
    seen = []

    def layer(parcels: list[Tensor]) -> Tensor:
        seen.append(len(parcels))
        return parcels[0]

    for layers in blocks:
        parcels = [torch.empty(0)]
        for _ in range(layers):
            parcels.append(layer(parcels))
    return sum(seen)


def of_each(rule: Callable[[int], int]) -> Callable[..., bool]:
    """Recognises the sum of a rule over the blocks."""
    return answers(lambda blocks: sum(map(rule, blocks)))


CONNECTIONS = Exercise(
    signature="connections(blocks)",
    properties=(
        Property("any blocks", lambda g: (some_blocks(g),), handed),
        Property("DenseNet-121: 535", lambda g: ([6, 12, 24, 16],), handed, trials=1),
    ),
    mistakes=(
        Mistake(
            "all layers are taken for one block",
            "between two blocks the maps are halved: no layer reads a parcel of another block.",
            answers(lambda blocks: sum(blocks) * (sum(blocks) + 1) // 2),
        ),
        Mistake(
            "what came into the block is not counted",
            "the first layer reads one parcel, the last all that came before: 1 + 2 + … + L.",
            of_each(lambda n: n * (n - 1) // 2),
        ),
        Mistake(
            "the half is missing",
            "L(L+1)/2: a pair of a parcel and a later layer is one connection, not two.",
            of_each(lambda n: n * (n + 1)),
        ),
        Mistake(
            "the fraction bar is lost",
            "L(L+1)/2, not L(L+1)·2; some texts print it so.",
            of_each(lambda n: 2 * n * (n + 1)),
        ),
        Mistake(
            "what comes behind the block is counted as a reader",
            "only dense layers are; the formula, too, leaves the end out.",
            of_each(lambda n: (n + 1) * (n + 2) // 2),
        ),
        Mistake(
            "each layer reads one parcel only",
            "it reads all that came before it in its block.",
            answers(sum),
        ),
        Mistake("the square of the depth", "the first layer reads one parcel, not L.", of_each(lambda n: n * n)),
        Mistake(
            "only one of the blocks is counted",
            "add up over all of them.",
            lambda got, blocks: any(agree(got, n * (n + 1) // 2) for n in blocks),
        ),
    ),
    hint="write down for one block of three layers how many parcels each layer reads; then add up.",
)

# maps_at_the_end: blocks of plain layers and 1×1 convolutions are run.


def any_net(generator: Generator) -> tuple[int, list[int], int]:
    return 2 * between(3, 10, generator), some_blocks(generator), between(3, 12, generator)


def run_through(maps: int, blocks: Sequence[int], growth: int) -> int:
    with torch.device("meta"):
        x = torch.empty(1, maps, 4, 4)
        for number, layers in enumerate(blocks):
            if number:
                x = x[:, : x.shape[1] // 2]
            x = DenseBlock(plain_layer(x.shape[1] + i * growth, growth) for i in range(layers)).eval()(x)
    return x.shape[1]


def not_halved(maps: int, blocks: Sequence[int], growth: int) -> int:
    return maps + sum(blocks) * growth


def halved_before_growing(maps: int, blocks: Sequence[int], growth: int) -> int:
    for layers in blocks:
        maps = maps // 2 + layers * growth
    return maps


def only_new_maps(maps: int, blocks: Sequence[int], growth: int) -> int:
    return blocks[-1] * growth


def by_blocks(maps: int, blocks: Sequence[int], growth: int) -> int:
    for number, _ in enumerate(blocks):
        maps = maps // 2 + growth if number else maps + growth
    return maps


MAPS_AT_THE_END = Exercise(
    signature="maps_at_the_end(maps, blocks, growth)",
    properties=(
        Property("any net", any_net, run_through),
        Property("DenseNet-121: 1,024", lambda g: (64, [6, 12, 24, 16], 32), run_through, trials=1),
        Property("DenseNet-161: 2,208", lambda g: (96, [6, 12, 36, 24], 48), run_through, trials=1),
    ),
    mistakes=(
        Mistake(
            "the maps are halved behind the last block too",
            "transitions stand between blocks; behind the last comes the classifier.",
            answers(lambda *net: run_through(*net) // 2),
        ),
        Mistake("the maps are never halved", "each transition halves them.", answers(not_halved)),
        Mistake(
            "the maps are halved before the first block too",
            "the first block reads what the stem made.",
            answers(halved_before_growing),
        ),
        Mistake(
            "only the new maps are counted",
            "a block hands on what came into it as well.",
            answers(only_new_maps),
        ),
        Mistake(
            "a block adds growth once, not once for each layer",
            "each of its layers adds as many.",
            answers(by_blocks),
        ),
    ),
    hint="go through the net with a pencil: add layers times growth, halve, add again; after the last do not halve.",
    errors={"shape": "it is a number that is asked for; nothing need be built."},
)

# dense_layer_parameters: the library's layer is built and counted.


def counted(inputs: int, growth: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in bottleneck_layer(inputs, growth).parameters())


def off_by(part: Callable[[int, int], int]) -> Callable[..., bool]:
    return answers(lambda n, k: counted(n, k) - part(n, k))


DENSE_LAYER_PARAMETERS = Exercise(
    signature="dense_layer_parameters(inputs, growth)",
    properties=(
        Property("any layer", lambda g: (between(5, 300, g), between(2, 48, g)), counted),
        Property("the first of DenseNet-121: 45,440", lambda g: (64, 32), counted, trials=1),
    ),
    mistakes=(
        Mistake(
            "the norms are missing",
            "there are two, with a factor and a shift for each map that they read.",
            off_by(lambda n, k: 2 * n + 8 * k),
        ),
        Mistake("the second norm is missing", "it reads 4k maps.", off_by(lambda n, k: 8 * k)),
        Mistake("the first norm is missing", "it reads all maps that come in.", off_by(lambda n, k: 2 * n)),
        Mistake(
            "the norms stand behind the convolutions",
            "each stands before its convolution, and reads what that reads: inputs, then 4k.",
            off_by(lambda n, k: 2 * n - 2 * k),
        ),
        Mistake("the 3×3 makes 4k maps, not k", "a layer adds growth maps.", off_by(lambda n, k: -108 * k * k)),
        Mistake(
            "a norm has one number a map",
            "a factor and a shift: two.",
            off_by(lambda n, k: n + 4 * k),
        ),
        Mistake(
            "the running averages are counted",
            "they are not learnt: no parameters.",
            off_by(lambda n, k: -2 * n - 8 * k),
        ),
        Mistake(
            "the convolutions have biases",
            "a norm behind them would take a bias away again: here they have none.",
            off_by(lambda n, k: -5 * k),
        ),
        Mistake(
            "the 3×3 reads all maps, not what the 1×1 made",
            "it reads 4k.",
            answers(lambda n, k: 2 * n + 4 * n * k + 8 * k + 9 * n * k),
        ),
        Mistake(
            "k maps between, not 4k",
            "the bottleneck is four times the growth rate.",
            answers(lambda n, k: 2 * n + n * k + 2 * k + 9 * k * k),
        ),
        Mistake("3, not 3·3", "a window of 3×3 has nine weights for each map.", off_by(lambda n, k: 24 * k * k)),
        Mistake(
            "the bottleneck is missing",
            "that is a plain layer; here a 1×1 convolution comes first.",
            answers(lambda n, k: 2 * n + 9 * n * k),
        ),
    ),
    hint="four parts: norm, 1×1, norm, 3×3. Write beside each how many maps it reads and makes.",
)

# run_dense: layers that note what they read.


def layers_and_maps(generator: Generator) -> tuple[list[Callable[[Tensor], Tensor]], Tensor]:
    """Convolutions that fit a dense block, and what goes into it."""
    maps, growth = between(2, 4, generator), between(1, 3, generator)
    layers = []
    for number in range(between(2, 4, generator)):
        kernel = torch.randn(growth, maps + number * growth, 1, 1, generator=generator)
        layers.append(lambda x, kernel=kernel: nn.functional.conv2d(x, kernel).relu())
    return layers, torch.randn(2, maps, 3, 3, generator=generator)


def by_list(layers: Sequence[Callable], x: Tensor) -> Tensor:
    parcels = [x]
    for layer in layers:
        parcels.append(layer(torch.cat(parcels, 1)))
    return torch.cat(parcels, 1)


def last_only(layers: Sequence[Callable], x: Tensor) -> Tensor:
    return by_list(layers, x).split(sizes_of(layers, x), 1)[-1]


def sizes_of(layers: Sequence[Callable], x: Tensor) -> list[int]:
    sizes, stack = [x.shape[1]], x
    for layer in layers:
        new = layer(stack)
        sizes.append(new.shape[1])
        stack = torch.cat([stack, new], 1)
    return sizes


def reversed_order(layers: Sequence[Callable], x: Tensor) -> Tensor:
    return torch.cat(by_list(layers, x).split(sizes_of(layers, x), 1)[::-1], 1)


def new_first(layers: Sequence[Callable], x: Tensor) -> Tensor:
    for layer in layers:
        x = torch.cat([layer(x), x], 1)
    return x


RUN_DENSE = Exercise(
    signature="run_dense(layers, x)",
    properties=(
        Property("the shape of what comes out", layers_and_maps, lambda *a: tuple(by_list(*a).shape),
                 lambda f, *a: tuple(getattr(f(*a), "shape", (0,)))),
        Property("input, then the maps of each layer in order", layers_and_maps, by_list),
    ),
    mistakes=(
        Mistake(
            "only the last layer's maps come out",
            "a dense block hands on all: its input and what each layer added.",
            lambda got, *a: agree(got, tuple(last_only(*a).shape)) or agree(got, last_only(*a)),
        ),
        Mistake(
            "what came in is missing at the end",
            "the block's input is the first part of its output.",
            lambda got, layers, x: agree(got, (len(x), by_list(layers, x).shape[1] - x.shape[1], *x.shape[2:])),
        ),
        Mistake(
            "the maps of the last layer are missing",
            "stack once more behind the last layer.",
            lambda got, layers, x: agree(got, (len(x), sum(sizes_of(layers, x)[:-1]), *x.shape[2:])),
        ),
        Mistake(
            "new maps are put in front",
            "the order matters: the next layer's weights are meant for input first, then layer by layer.",
            lambda got, *a: agree(got, new_first(*a)),
        ),
        Mistake(
            "the parcels come out in reverse",
            "input first, the last layer's maps last.",
            lambda got, *a: agree(got, reversed_order(*a)),
        ),
    ),
    hint="keep a stack; give each layer the whole of it, and put what it returns on top with torch.cat(…, dim=1).",
    errors={
        "to have": "a layer was handed another number of maps than it has weights for: hand it the whole stack so far.",
        "Sizes of tensors must match": "maps are stacked along axis 1: torch.cat(…, dim=1).",
        "must match the size": "maps are stacked, not added.",
        "invalid combination of arguments": "these layers take one tensor: stack the list with torch.cat(…, dim=1).",
    },
)  # fmt: skip

# numbers_kept: the maps that autograd keeps are counted while a block runs.


def small_block(generator: Generator) -> tuple[int, int, int, int]:
    return between(3, 12, generator), between(2, 6, generator), between(2, 6, generator), between(4, 8, generator)


def drawn(forgetful: bool) -> Callable[[Generator], tuple]:
    return lambda generator: (*small_block(generator), forgetful)


def kept_maps(maps: int, depth: int, growth: int, side: int, forgetful: bool) -> int:
    """Numbers in the maps that the layers' autograd keeps; memory that two tensors share counts once."""
    block = DenseBlock(plain_layer(maps + i * growth, growth) for i in range(depth))
    for layer in block:
        if isinstance(layer, DenseLayer):
            layer.checkpointed = forgetful
    known, total = set(), 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal total
        memory = tensor.untyped_storage().data_ptr()
        if tensor.ndim == 4 and not isinstance(tensor, nn.Parameter) and memory not in known:
            known.add(memory)
            held.append(tensor)  # lest its memory be given to another
            total += tensor[0].numel()
        return tensor

    held: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        block(torch.zeros(2, maps, side, side))
    return total


NUMBERS_KEPT = Exercise(
    signature="numbers_kept(maps, depth, growth, side, forgetful)",
    properties=(
        Property("everything kept", drawn(False), kept_maps),
        Property("forgetful", drawn(True), kept_maps),
    ),
    mistakes=(
        Mistake(
            "one copy of each stack, not two",
            "the norm keeps the stack, and behind it the ReLU's output is kept for the convolution.",
            lambda got, *a: not a[4] and agree(got, kept_maps(*a) / 2),
        ),
        Mistake(
            "the pixels are forgotten",
            "a map has side · side numbers.",
            lambda got, *a: agree(got, kept_maps(*a) / a[3] ** 2),
        ),
        Mistake(
            "side, not side · side",
            "a map is a square.",
            lambda got, *a: agree(got, kept_maps(*a) / a[3]),
        ),
        Mistake(
            "bytes, not numbers",
            "a number has four bytes; here numbers are asked for.",
            lambda got, *a: agree(got, 4 * kept_maps(*a)),
        ),
        Mistake(
            "the last layer's own maps are counted",
            "no layer of the block reads them.",
            lambda got, c, n, k, s, f: (
                agree(got, (c + n * k) * s * s if f else 2 * sum(c + (i + 1) * k for i in range(n)) * s * s)
                or agree(got, 2 * sum(c + i * k for i in range(n + 1)) * s * s)
            ),
        ),
        Mistake(
            "each parcel is kept twice",
            "the copies of norm and ReLU are what is forgotten: once.",
            lambda got, c, n, k, s, f: f and agree(got, 2 * kept_maps(c, n, k, s, True)),
        ),
        Mistake(
            "forgetful and not are exchanged",
            "the forgetful block keeps less.",
            lambda got, c, n, k, s, f: not f and agree(got, kept_maps(c, n, k, s, True)),
        ),
        Mistake(
            "forgetting makes no difference",
            "a forgetful block keeps each parcel once, however many layers read it.",
            lambda got, c, n, k, s, f: f and agree(got, kept_maps(c, n, k, s, False)),
        ),
        Mistake(
            "each stack is still kept, once a layer",
            "a stack is made anew on the way back; only the parcels are kept, once each.",
            lambda got, c, n, k, s, f: f and agree(got, kept_maps(c, n, k, s, False) / 2),
        ),
        Mistake(
            "the stack does not grow",
            "layer i reads maps + i · growth.",
            lambda got, c, n, k, s, f: agree(got, 2 * n * c * s * s) or agree(got, n * c * s * s),
        ),
        Mistake(
            "only what came into the block is kept",
            "the parcels that the layers add are read too, and kept.",
            lambda got, c, n, k, s, f: agree(got, c * s * s),
        ),
    ),
    hint="write down for depth 2 what each layer reads; twice each stack if all is kept, else each parcel once.",
)

# own_block: built, run, counted and measured.

MOST_PARAMETERS, MOST_BYTES, FIELD, FEWEST_MAPS = 40_000, 800_000, 13, 96


def sees(block: nn.Module, inputs: int, side: int = 31) -> int:
    """How many pixels across act on the middle of the maps that come out."""
    image = torch.randn(1, inputs, side, side, generator=Generator().manual_seed(0)).double().requires_grad_()
    middle = block.double().eval()(image.clone())[..., side // 2, side // 2].square().sum()
    return int((torch.autograd.grad(middle, image)[0] != 0).any(3).any(1).sum())


def looked_at(own_block: Callable[[int], Any], inputs: int) -> dict[str, Any]:
    """What the block is like; what cannot be found out any more is left out."""
    block = own_block(inputs)
    if not isinstance(block, nn.Module):
        return {"a module": False}
    x = torch.randn(2, inputs, 14, 14, generator=Generator().manual_seed(1))
    before = x.clone()
    found = {"a module": True, "parameters": sum(p.numel() for p in block.parameters()) <= MOST_PARAMETERS}
    out = block.train()(x)
    found["14×14 stay"] = isinstance(out, Tensor) and out.shape[2:] == (14, 14)
    if not found["14×14 stay"]:
        return found
    found["enough maps"] = out.shape[1] >= FEWEST_MAPS
    found["the first are what came in"] = torch.equal(out[:, :inputs], before)
    out.square().mean().backward()
    found["every weight gets a gradient"] = all(
        p.grad is not None and bool(p.grad.abs().sum() > 0) for p in block.parameters() if p.ndim > 1
    )
    found["bytes kept"] = summary(block, (inputs, 14, 14), depth=1)[-1].saved <= MOST_BYTES
    found["sees 13 pixels"] = sees(block, inputs) >= FIELD
    return found


PARTS = ("a module", "parameters", "14×14 stay", "enough maps", "the first are what came in")
PARTS += ("every weight gets a gradient", "bytes kept", "sees 13 pixels")


def part(says: str, *names: str) -> Property:
    return Property(says, lambda g: (32,), lambda inputs: dict.fromkeys(names, True), looked_at, trials=1)


def lacks(name: str) -> Callable[..., bool]:
    return lambda got, *_: got.get(name) is False


OWN_BLOCK = Exercise(
    signature="own_block(inputs)",
    properties=(
        part("a module that keeps 14×14", "a module", "14×14 stay"),
        part("at least 96 maps, what came in first and unchanged", "enough maps", "the first are what came in"),
        part("13 pixels seen, a gradient for every weight", "sees 13 pixels", "every weight gets a gradient"),
        part("within both limits", "parameters", "bytes kept"),
    ),
    mistakes=(
        Mistake("no module comes back", "return the block itself, not what it makes of some maps.", lacks("a module")),
        Mistake(
            "the maps have changed their size",
            "pad each 3×3 window by one pixel, and take no stride.",
            lacks("14×14 stay"),
        ),
        Mistake("too few maps", "input maps, and growth times layers.", lacks("enough maps")),
        Mistake(
            "what came in is not there, or not unchanged",
            "stack it first; and a ReLU with inplace=True on the input itself overwrites it.",
            lacks("the first are what came in"),
        ),
        Mistake("nothing passes to some weights", "use every layer that you build.",
                lacks("every weight gets a gradient")),
        Mistake("it sees less than 13 pixels", "each 3×3 in a row adds two: six of them.", lacks("sees 13 pixels")),
        Mistake(
            "too many parameters",
            "what does a 1×1 convolution to few maps save before each 3×3?",
            lacks("parameters"),
        ),
        Mistake(
            "too much is kept",
            "a stack is kept twice for each layer: fewer layers, one norm less, or compute it again.",
            lacks("bytes kept"),
        ),
    ),
    hint="six dense layers of growth 11 or more: which have few parameters?",
    errors={
        "to have": "layer i reads inputs + i · growth maps.",
        "does not require grad": "the block has no weights: build something that can learn.",
    },
)  # fmt: skip

EXERCISES = (CONNECTIONS, MAPS_AT_THE_END, DENSE_LAYER_PARAMETERS, RUN_DENSE, NUMBERS_KEPT, OWN_BLOCK)
