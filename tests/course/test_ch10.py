"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

from functools import reduce

import torch
from torch import nn

from cnnlib.course.exercises import ch10
from cnnlib.models.densenet import DenseBlock, bottleneck_layer, plain_layer
from tests.course.answers import answer_tests, function

# connections

CONNECTIONS_RIGHT = [
    lambda blocks: sum(n * (n + 1) // 2 for n in blocks),
    lambda blocks: sum(sum(range(1, n + 1)) for n in blocks),
    lambda blocks: sum(n * (n + 1) / 2 for n in blocks),
]
CONNECTIONS_WRONG = [
    ("taken for one block", lambda blocks: sum(blocks) * (sum(blocks) + 1) // 2),
    ("what came into the block is not counted", lambda blocks: sum(n * (n - 1) // 2 for n in blocks)),
    ("the half is missing", lambda blocks: sum(n * (n + 1) for n in blocks)),
    ("fraction bar is lost", lambda blocks: sum(n * (n + 1) * 2 for n in blocks)),
    ("counted as a reader", lambda blocks: sum((n + 1) * (n + 2) // 2 for n in blocks)),
    ("one parcel only", sum),
    ("the square of the depth", lambda blocks: sum(n * n for n in blocks)),
    ("only one of the blocks", lambda blocks: blocks[0] * (blocks[0] + 1) // 2),
]

# maps_at_the_end


def end(*lines):
    return function("maps_at_the_end(maps, blocks, growth)", *lines, "return maps")


END_RIGHT = [
    end("for n in blocks[:-1]:", "    maps = (maps + n * growth) // 2", "maps += blocks[-1] * growth"),
    lambda maps, blocks, growth: reduce(lambda m, n: m // 2 + n * growth, blocks[1:], maps + blocks[0] * growth),
]
END_WRONG = [
    ("behind the last block too", end("for n in blocks:", "    maps = (maps + n * growth) // 2")),
    ("never halved", end("maps += sum(blocks) * growth")),
    ("before the first block too", end("for n in blocks:", "    maps = maps // 2 + n * growth")),
    ("only the new maps", lambda maps, blocks, growth: blocks[-1] * growth),
    ("adds growth once", lambda m, blocks, k: reduce(lambda m, n: m // 2 + k, blocks[1:], m + k)),
]

# dense_layer_parameters


def count(text):
    return function("dense_layer_parameters(n, k)", f"return {text}")


COUNT_RIGHT = [
    count("2 * n + 4 * n * k + 8 * k + 36 * k * k"),
    lambda n, k: sum(p.numel() for p in bottleneck_layer(n, k).parameters()),
    count("n * (4 * k + 2) + 4 * k * (9 * k + 2)"),
]
COUNT_WRONG = [
    ("the norms are missing", count("4 * n * k + 36 * k * k")),
    ("the second norm is missing", count("2 * n + 4 * n * k + 36 * k * k")),
    ("the first norm is missing", count("4 * n * k + 8 * k + 36 * k * k")),
    ("one number a map", count("n + 4 * n * k + 4 * k + 36 * k * k")),
    ("stand behind", count("4 * n * k + 10 * k + 36 * k * k")),
    ("makes 4k maps, not k", count("2 * n + 4 * n * k + 8 * k + 144 * k * k")),
    ("running averages", count("4 * n + 4 * n * k + 16 * k + 36 * k * k")),
    ("have biases", count("2 * n + 4 * n * k + 4 * k + 8 * k + 36 * k * k + k")),
    ("reads all maps", count("2 * n + 4 * n * k + 8 * k + 9 * n * k")),
    ("k maps between", count("2 * n + n * k + 2 * k + 9 * k * k")),
    ("3, not 3·3", count("2 * n + 4 * n * k + 8 * k + 12 * k * k")),
    ("bottleneck is missing", count("2 * n + 9 * n * k")),
]

# run_dense


def run(*lines):
    return function("run_dense(layers, x)", *lines)


LOOP = "for layer in layers:"
RUN_RIGHT = [
    run(LOOP, "    x = torch.cat([x, layer(x)], 1)", "return x"),
    run("maps = [x]", LOOP, "    maps.append(layer(torch.cat(maps, dim=1)))", "return torch.cat(maps, dim=1)"),
    lambda layers, x: reduce(lambda stack, layer: torch.hstack([stack, layer(stack)]), layers, x),
]
RUN_WRONG = [
    (
        "only the last layer's maps",
        run("maps = [x]", LOOP, "    maps.append(layer(torch.cat(maps, 1)))", "return maps[-1]"),
    ),
    (
        "what came in is missing",
        run("maps = [x]", LOOP, "    maps.append(layer(torch.cat(maps, 1)))", "return torch.cat(maps[1:], 1)"),
    ),
    (
        "maps of the last layer are missing",
        run("maps = [x]", LOOP, "    maps.append(layer(torch.cat(maps, 1)))", "return torch.cat(maps[:-1], 1)"),
    ),
    ("put in front", run(LOOP, "    x = torch.cat([layer(x), x], 1)", "return x")),
    (
        "in reverse",
        run("maps = [x]", LOOP, "    maps.append(layer(torch.cat(maps, 1)))", "return torch.cat(maps[::-1], 1)"),
    ),
    ("hand it the whole stack", run(LOOP, "    x = layer(x)", "return x")),
    ("stacked along axis 1", run(LOOP, "    x = torch.cat([x, layer(x)])", "return x")),
]

# numbers_kept


def kept(*lines):
    return function("numbers_kept(c, n, k, s, forgetful)", *lines)


ALL, ONCE = "2 * sum(c + i * k for i in range(n)) * s * s", "(c + (n - 1) * k) * s * s"
KEPT_RIGHT = [
    kept(f"return {ONCE} if forgetful else {ALL}"),
    kept(f"if forgetful: return {ONCE}", "return (2 * n * c + k * n * (n - 1)) * s ** 2"),
]
KEPT_WRONG = [
    ("one copy of each stack", kept(f"return {ONCE} if forgetful else ({ALL}) // 2")),
    ("the pixels are forgotten", kept(f"return ({ONCE} if forgetful else {ALL}) // s // s")),
    ("side, not side", kept(f"return ({ONCE} if forgetful else {ALL}) // s")),
    ("bytes, not numbers", kept(f"return 4 * ({ONCE} if forgetful else {ALL})")),
    ("last layer's own maps", kept(f"return (c + n * k) * s * s if forgetful else {ALL}")),
    ("makes no difference", kept(f"return {ALL}")),
    ("kept twice", kept(f"return 2 * ({ONCE}) if forgetful else {ALL}")),
    ("are exchanged", kept(f"return {ALL} if forgetful else {ONCE}")),
    ("still kept, once a layer", kept(f"return ({ALL}) // 2 if forgetful else {ALL}")),
    ("does not grow", kept("return 2 * n * c * s * s")),
    ("only what came into the block", kept(f"return c * s * s if forgetful else {ALL}")),
]

# own_block


def plain(layers, growth):
    return lambda inputs: DenseBlock(plain_layer(inputs + i * growth, growth) for i in range(layers))


def narrow(layers, growth):
    def make(inputs):
        blocks = []
        for i in range(layers):
            squeeze = nn.Conv2d(inputs + i * growth, growth, 1)
            blocks.append(nn.Sequential(squeeze, nn.ReLU(), nn.Conv2d(growth, growth, 3, padding=1)))
        return Stack(blocks)

    return make


class Stack(nn.ModuleList):
    def forward(self, x):
        for layer in self:
            x = torch.cat([x, layer(x)], 1)
        return x


class Behind(nn.Module):
    """A stack whose input comes last, or overwritten, or beside a layer that is not used."""

    def __init__(self, inputs, way):
        super().__init__()
        self.stack, self.way = plain(6, 11)(inputs), way
        if way == "idle":
            self.idle = nn.Linear(3, 3)

    def forward(self, x):
        out = self.stack(x)
        return out.flip(1) if self.way == "flip" else out


class Overwriting(Stack):
    def forward(self, x):
        return super().forward(x.relu_())


OWN_RIGHT = [plain(6, 11), narrow(6, 12), narrow(8, 10)]
OWN_WRONG = [
    ("no module", lambda inputs: torch.zeros(1, 96, 14, 14)),
    ("changed their size", lambda inputs: nn.Conv2d(inputs, 96, 3)),
    ("too few maps", plain(6, 8)),
    ("not there, or not unchanged", lambda inputs: Behind(inputs, "flip")),
    ("not there, or not unchanged", lambda inputs: Overwriting(narrow(6, 12)(inputs))),
    ("nothing passes", lambda inputs: Behind(inputs, "idle")),
    ("less than 13", plain(3, 22)),
    ("too many parameters", plain(6, 16)),
    ("too much is kept", lambda inputs: DenseBlock(bottleneck_layer(inputs + i * 6, 6) for i in range(12))),
    ("layer i reads", lambda inputs: Stack([nn.Conv2d(inputs, 12, 3, padding=1) for _ in range(6)])),
]

ANSWERS = {
    "connections": (CONNECTIONS_RIGHT, CONNECTIONS_WRONG),
    "maps_at_the_end": (END_RIGHT, END_WRONG),
    "dense_layer_parameters": (COUNT_RIGHT, COUNT_WRONG),
    "run_dense": (RUN_RIGHT, RUN_WRONG),
    "numbers_kept": (KEPT_RIGHT, KEPT_WRONG),
    "own_block": (OWN_RIGHT, OWN_WRONG),
}


TestAnswers = answer_tests(ch10.EXERCISES, ANSWERS)


def test_kept_numbers_are_those_of_the_formula():
    assert ch10.kept_maps(4, 3, 2, 5, False) == 2 * (4 + 6 + 8) * 25
    assert ch10.kept_maps(4, 3, 2, 5, True) == (4 + 2 + 2) * 25
