"""Exercises of chapter 12: labels of folders, equal orders, the front, one answer a thing, a new head, an entrant."""

from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlib.analysis import summary
from cnnlib.claims import Score, beats
from cnnlib.course.checks import Exercise, Mistake, Property, answers, between
from cnnlib.data import Batches, Normalize
from cnnlib.datasets import fashion
from cnnlib.experiments import orders
from cnnlib.layers import linear_classifier
from cnnlib.training import Diverged, Recipe, evaluate, train

# labels_of

WORDS = ("oak", "ash", "elm", "fir", "yew", "birch")


def any_files(generator: Generator) -> list[str]:
    kinds = [WORDS[place] for place in torch.randperm(len(WORDS), generator=generator)[: between(2, 5, generator)]]
    picked = [kinds[between(0, len(kinds) - 1, generator)] for _ in range(between(4, 8, generator))]
    return [f"{kind}/{number}.jpg" for number, kind in enumerate([*kinds, *picked])]


def folder(file: str) -> str:
    return file.split("/")[0]


def by_alphabet(files: Sequence[str]) -> list[int]:
    place = {}
    for name in sorted(map(folder, files)):
        place.setdefault(name, len(place))
    return [place[folder(file)] for file in files]


LABELS_OF = Exercise(
    signature="labels_of(files)",
    properties=(Property("any files", lambda g: (any_files(g),), by_alphabet, trials=8),),
    mistakes=(
        Mistake(
            "numbered in the order in which the files come",
            "the first of the alphabet is class 0, whichever file comes first.",
            answers(lambda files: [list(dict.fromkeys(map(folder, files))).index(folder(file)) for file in files]),
        ),
        Mistake(
            "numbered from 1",
            "the first class is number 0.",
            answers(lambda files: [number + 1 for number in by_alphabet(files)]),
        ),
        Mistake(
            "each file has a number of its own",
            "files of one folder have one number: take the names of the folders, each once.",
            lambda got, files: isinstance(got, list) and len(set(map(str, got))) == len(files),
        ),
        Mistake(
            "names, not numbers",
            "a label is the place of the folder's name among all names.",
            lambda got, files: isinstance(got, list) and got == [folder(file) for file in files],
        ),
        Mistake(
            "counted backwards through the alphabet",
            "sort the names from a to z.",
            answers(lambda files: [max(by_alphabet(files)) - number for number in by_alphabet(files)]),
        ),
    ),
    hint="sorted(set(...)) of the folders' names, and then .index of each.",
)

# same_network: both nets are built with equal weights and run on the same images with the same random numbers.


@cache
def logits(order: str) -> Tensor:
    torch.manual_seed(0)
    net = orders.build(order).train()
    return net(torch.randn(8, 1, 28, 28, generator=Generator().manual_seed(1))).detach()


def equal_logits(first: str, second: str) -> bool:
    return torch.equal(logits(first), logits(second))


def two_orders(generator: Generator) -> tuple[str, str]:
    return tuple("".join("BAPD"[k] for k in torch.randperm(4, generator=generator)) for _ in range(2))


def moved_a(generator: Generator) -> tuple[str, str]:
    """An order, and the same with A at another place."""
    first, _ = two_orders(generator)
    rest, place = first.replace("A", ""), between(0, 3, generator)
    return first, rest[:place] + "A" + rest[place:]


def some_pair(generator: Generator) -> tuple[str, str]:
    return (two_orders, moved_a)[between(0, 1, generator)](generator)


def asked(same_network: Callable, first: str, second: str) -> Any:
    answer = same_network(first, second)
    return bool(answer) if isinstance(answer, int | Tensor) else answer


def wrongly(rule: Callable[[str, str], bool]) -> Callable[..., bool]:
    """Recognises an answer that follows the rule; the rule that explains most of the answers is named."""
    return lambda got, first, second: got == rule(first, second)


SAME_NETWORK = Exercise(
    signature="same_network(first, second)",
    properties=(
        Property("any two orders, and A moved to another place", some_pair, equal_logits, asked, 30),
        Property("an order and itself", lambda g: ("PBAD", "PBAD"), equal_logits, asked, 1),
        Property("pool and dropout exchanged", lambda g: ("BAPD", "BADP"), equal_logits, asked, 1),
    ),
    mistakes=(
        Mistake(
            "only orders that read alike are taken for the same",
            "ReLU may change places with the pool and with dropout.",
            wrongly(lambda a, b: a == b),
        ),
        Mistake(
            "the place of A is taken for indifferent",
            "it may stand anywhere on one side of B; on which side does matter.",
            wrongly(lambda a, b: a.replace("A", "") == b.replace("A", "")),
        ),
        Mistake(
            "only the side of B on which A stands is compared",
            "B, P and D must come in the same order, too.",
            wrongly(lambda a, b: (a.index("A") < a.index("B")) == (b.index("A") < b.index("B"))),
        ),
        Mistake(
            "all orders are taken for the same",
            "24 orders are 12 networks, not one.",
            wrongly(lambda a, b: True),
        ),
        Mistake(
            "all orders are taken for different",
            "24 orders are 12 networks, not 24.",
            wrongly(lambda a, b: False),
        ),
    ),
    hint="A passes P and D, but never B. Take A out of both: what must then be equal, and what else?",
)

# front


def points(generator: Generator) -> tuple[list[int], list[int]]:
    count = between(4, 8, generator)
    return tuple([between(1, 9, generator) for _ in range(count)] for _ in range(2))


def not_beaten(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    def beaten(k: int) -> bool:
        rivals = [(c, g) for c, g in zip(costs, gains) if c <= costs[k] and g >= gains[k]]
        return any(rival != (costs[k], gains[k]) for rival in rivals)

    return [k for k in range(len(costs)) if not beaten(k)]


def front_by(worse: Callable[[float, float, float, float], bool]) -> Callable[..., bool]:
    """Recognises the rows for which no other (c, g) is `worse(c, g, cost, gain)` for them."""

    def rows(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
        pairs = list(zip(costs, gains))
        return [
            k
            for k, (cost, gain) in enumerate(pairs)
            if not any(worse(c, g, cost, gain) for j, (c, g) in enumerate(pairs) if j != k)
        ]

    return answers(rows)


FRONT = Exercise(
    signature="front(costs, gains)",
    properties=(
        Property("any table", points, not_beaten, trials=12),
        Property("two alike, and none better", lambda g: ([3, 1, 3], [9, 5, 9]), not_beaten, trials=1),
    ),
    mistakes=(
        Mistake(
            "twins beat each other",
            "a row that is equal in both does not beat; it must be better in one at least.",
            front_by(lambda c, g, cost, gain: c <= cost and g >= gain),
        ),
        Mistake(
            "only what is better in both counts as beating",
            "as cheap and better, or cheaper and as good, beats too.",
            front_by(lambda c, g, cost, gain: c < cost and g > gain),
        ),
        Mistake(
            "turned round: dear and bad rows are kept",
            "costs are to be small, gains large.",
            front_by(lambda c, g, cost, gain: c >= cost and g <= gain and (c, g) != (cost, gain)),
        ),
        Mistake(
            "large costs are taken for good",
            "costs are to be small, gains large.",
            front_by(lambda c, g, cost, gain: c >= cost and g >= gain and (c, g) != (cost, gain)),
        ),
        Mistake(
            "only the best row",
            "a cheaper row with less gain is on the front as well.",
            lambda got, costs, gains: isinstance(got, list) and got == [gains.index(max(gains))],
        ),
        Mistake(
            "the beaten rows, not the others",
            "keep those that no other row beats.",
            answers(lambda costs, gains: sorted(set(range(len(costs))) - set(not_beaten(costs, gains)))),
        ),
    ),
    hint="for each row ask of each other row: is it no dearer, no worse, and not the same? Then it beats.",
)

# one_answer


def some_things(generator: Generator) -> tuple[Tensor, list[str]]:
    things = [name for name in ("a", "b", "c") for _ in range(between(2, 4, generator))]
    order = torch.randperm(len(things), generator=generator).tolist()
    chances = (2.5 * torch.randn(len(things), 4, generator=generator)).softmax(1)
    return chances, [things[place] for place in order]


def by_thing(chances: Tensor, things: Sequence[str], take: Callable[[Tensor], int]) -> dict[str, int]:
    return {
        name: take(torch.stack([row for row, thing in zip(chances, things) if thing == name])) for name in set(things)
    }


def by_mean(chances: Tensor, things: Sequence[str]) -> dict[str, int]:
    return by_thing(chances, things, lambda rows: int(rows.mean(0).argmax()))


def as_numbers(one_answer: Callable, chances: Tensor, things: list[str]) -> Any:
    answer = one_answer(chances, things)
    return {name: int(value) for name, value in answer.items()} if isinstance(answer, dict) else {"no dict": True}


def taken_by(take: Callable[[Tensor], int]) -> Callable[..., bool]:
    return answers(lambda chances, things: by_thing(chances, things, take))


ONE_ANSWER = Exercise(
    signature="one_answer(chances, things)",
    properties=(Property("any pictures", some_things, by_mean, as_numbers, trials=12),),
    mistakes=(
        Mistake(
            "the first picture decides",
            "take the mean over all pictures of the thing.",
            taken_by(lambda rows: int(rows[0].argmax())),
        ),
        Mistake(
            "the last picture decides",
            "each picture overwrites the answer of the one before: collect them first.",
            taken_by(lambda rows: int(rows[-1].argmax())),
        ),
        Mistake(
            "a vote, in which a doubtful picture counts as much as a sure one",
            "take the mean of the chances, then the largest; not the largest of each picture.",
            taken_by(lambda rows: int(rows.argmax(1).mode().values)),
        ),
        Mistake(
            "the surest picture decides",
            "take the mean over all pictures of the thing.",
            taken_by(lambda rows: int(rows.amax(0).argmax())),
        ),
        Mistake(
            "an answer for each picture",
            "one for each thing: a dict from its name to a class.",
            lambda got, chances, things: "no dict" in got,
        ),
        Mistake(
            "the mean over all pictures, whatever they show",
            "only the rows of the thing itself.",
            lambda got, chances, things: len(got) > 1 and set(got.values()) == {int(chances.mean(0).argmax())},
        ),
    ),
    hint="for each name: the rows with that name, their mean over the rows, argmax.",
)

# new_head


def trained_elsewhere() -> nn.Module:
    """A small net with `features` and `classifier`, for 20 classes."""
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()))
    net.add_module("classifier", linear_classifier(6, 20, dropout=0.2))
    return net


def any_classes(generator: Generator) -> tuple[nn.Module, int]:
    torch.manual_seed(between(0, 999, generator))
    return trained_elsewhere(), between(2, 9, generator)


def looked_at(new_head: Callable, model: nn.Module, classes: int) -> dict[str, Any]:
    before = [p.detach().clone() for p in model.features.parameters()]
    answer = new_head(model, classes)
    if not isinstance(answer, nn.Module):
        return {"a network": False}
    with torch.no_grad():
        shape = tuple(answer.eval()(torch.randn(2, 3, 8, 8)).shape)
    learning = sum(p.numel() for p in answer.parameters() if p.requires_grad)
    parts = [p for name, p in answer.named_parameters() if "features" in name or p.shape[0] == 6]
    return {
        "a network": True,
        "logits": shape,
        "parameters that learn": learning,
        "features as they were": len(parts) >= len(before)
        and all(any(torch.equal(p, old) for p in parts) for old in before),
        "all": sum(p.numel() for p in answer.parameters()),
    }


def wanted(model: nn.Module, classes: int) -> dict[str, Any]:
    return {
        "a network": True,
        "logits": (2, classes),
        "parameters that learn": 7 * classes,
        "features as they were": True,
    }


NEW_HEAD = Exercise(
    signature="new_head(model, classes)",
    properties=(Property("a net for other classes", any_classes, wanted, looked_at, trials=4),),
    mistakes=(
        Mistake(
            "no network came back",
            "return the model.",
            lambda got, model, classes: got["a network"] is False,
        ),
        Mistake(
            "the new matrix stands behind the old one",
            "take the old last layer away: replace classifier[-1].",
            lambda got, model, classes: got.get("all", 0) > 320,
        ),
        Mistake(
            "it still names the old classes",
            "the last layer must have as many outputs as there are new classes.",
            lambda got, model, classes: got.get("logits") == (2, 20),
        ),
        Mistake(
            "nothing learns any more",
            "freeze first, then put the new layer in: its parameters are to learn.",
            lambda got, model, classes: got.get("parameters that learn") == 0,
        ),
        Mistake(
            "everything learns",
            "requires_grad_(False) for all that was there.",
            lambda got, model, classes: got.get("parameters that learn") == got.get("all"),
        ),
        Mistake(
            "the features are other ones than before",
            "keep the model; only its last layer is new.",
            lambda got, model, classes: got.get("features as they were") is False,
        ),
    ),
    hint="model.requires_grad_(False), then a new nn.Linear in the place of model.classifier[-1].",
    errors={
        "cannot be multiplied": "how many numbers come in front of the last layer? Ask it: .in_features.",
        "has no attribute 'in_features'": "the last layer of the classifier is model.classifier[-1].",
    },
)

# entrant

SEEDS = (0, 1, 2)
WORK = 5_000_000


@cache
def arena() -> tuple[Any, Any, Normalize]:
    part, _ = fashion()
    return part[:1000], part[5000:6000], Normalize(part[:1000])


def played(make: Callable[[], tuple[nn.Module, float]]) -> list[Score]:
    """Accuracy after the chapter's budget, seed by seed; 0 where the loss was no number."""
    few, unseen, normalize = arena()
    scores = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        net, rate = make()
        try:
            for _ in train(net, Batches(few, 32, [normalize], Generator().manual_seed(seed)), Recipe(3, rate)):
                pass
            scores.append(Score(seed, evaluate(net, Batches(unseen, 500, [normalize])).accuracy))
        except Diverged:
            scores.append(Score(seed, 0.0))
    return scores


@cache
def matrix() -> tuple[Score, ...]:
    return tuple(played(lambda: (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 0.03)))


def entered(entrant: Callable) -> dict[str, Any]:
    """What the net is: an observation without training."""
    answer = entrant()
    if not (isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[0], nn.Module)):
        return {"a network and its rate": False}
    net = answer[0]
    with torch.no_grad():
        shape = tuple(net.train()(torch.randn(3, 1, 28, 28)).shape)
    work = summary(net, (1, 28, 28))[-1].macs
    facts = {"a network and its rate": True, "logits": shape, "work": work}
    facts["a convolution"] = any(isinstance(layer, nn.Conv2d) for layer in net.modules())
    facts[f"at most {WORK:,} multiply-adds"] = "yes" if work <= WORK else f"no: {work:,}"
    return facts


def measured(entrant: Callable) -> dict[str, Any]:
    scores, rivals = played(entrant), list(matrix())
    means = [mean(score.accuracy for score in side) for side in (scores, rivals)]
    ahead = beats(scores, rivals, by=0.01)
    told = "yes" if ahead else f"no: {means[0]:.1%} in the mean, the matrix {means[1]:.1%}"
    return {"a point ahead": told, "guess": means[0] < 0.2, "behind": means[0] < means[1], "noise": not ahead}


def goal(says: str, value: Any) -> Property:
    return Property(says, lambda g: (), lambda: {says: value}, entered, 1)


ENTRANT = Exercise(
    signature="entrant()",
    properties=(
        goal("a network and its rate", True),
        Property("3×1×28×28 in, 3×10 out", lambda g: (), lambda: {"logits": (3, 10)}, entered, 1),
        goal("a convolution", True),
        goal(f"at most {WORK:,} multiply-adds", "yes"),
        Property("a point ahead of the matrix", lambda g: (), lambda: {"a point ahead": "yes"}, measured, 1),
    ),
    mistakes=(
        Mistake(
            "not a network and its rate",
            "return both: the network, and the learning rate, such as 0.01.",
            lambda got: got.get("a network and its rate") is False,
        ),
        Mistake("the answers are not N×10", "ten logits an image.", lambda got: got.get("logits", (3, 10)) != (3, 10)),
        Mistake(
            "the matrix itself",
            "a convolution must be in it.",
            lambda got: got.get("a convolution") is False,
        ),
        Mistake(
            "too much work",
            "fewer maps, or a pool earlier.",
            lambda got: got.get("work", 0) > WORK,
        ),
        Mistake(
            "it has not left a guess",
            "is the rate ten times too large, or too small? Is there batch norm?",
            lambda got: got.get("guess") is True,
        ),
        Mistake(
            "the matrix is ahead",
            "96 steps are few. Does it have batch norm, and a rate that was tried?",
            lambda got: got.get("behind") is True,
        ),
        Mistake(
            "ahead by less than the point, or by luck",
            "try another rate, or more maps: there is work left to spend.",
            lambda got: got.get("noise") is True,
        ),
    ),
    hint="one or two 3×3 convolutions with batch norm, ReLU and a pool, one matrix; try rates by threes.",
    errors={
        "cannot be multiplied": "28×28 halved is 14×14, halved again 7×7: how many numbers reach the matrix?",
        "not enough values": "return both: the network, and the learning rate.",
    },
)

EXERCISES = (LABELS_OF, SAME_NETWORK, FRONT, ONE_ANSWER, NEW_HEAD, ENTRANT)
