"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import numpy as np
import torch
from torch import nn

from cnnlib.course.exercises import EXERCISES, ch12
from cnnlib.experiments import orders
from tests.course.answers import answer_tests, function

# labels_of


def labels_by_numpy(files):
    return np.unique([file.split("/")[0] for file in files], return_inverse=True)[1]


def labels_by_a_table(files):
    folders = [file[: file.index("/")] for file in files]
    table = {name: number for number, name in enumerate(sorted({*folders}))}
    return torch.tensor([table[name] for name in folders])


def labels(classes, *, start=0):
    return function(
        "labels_of(files)",
        "folders = [file.split('/')[0] for file in files]",
        f"classes = {classes}",
        f"return [classes.index(folder) + {start} for folder in folders]",
    )


LABELS_RIGHT = [labels("sorted(set(folders))"), labels_by_numpy, labels_by_a_table]
LABELS_WRONG = [
    ("order in which the files come", labels("list(dict.fromkeys(folders))")),
    ("numbered from 1", labels("sorted(set(folders))", start=1)),
    ("a number of its own", lambda files: [sorted(files).index(file) for file in files]),
    ("names, not numbers", lambda files: [file.split("/")[0] for file in files]),
    ("backwards", labels("sorted(set(folders), reverse=True)")),
]

# same_network


def by_moving(first, second):
    def settled(order):
        while "PA" in order or "DA" in order:
            order = order.replace("PA", "AP").replace("DA", "AD")
        return order

    return settled(first) == settled(second)


def by_pairs(first, second):
    return all(
        (first.index(a) < first.index(b)) == (second.index(a) < second.index(b)) for a, b in ("AB", "BP", "BD", "PD")
    )


def by_building(first, second):
    answers = []
    for order in (first, second):
        torch.manual_seed(3)
        answers.append(orders.build(order)(torch.ones(4, 1, 28, 28).tril()))
    return torch.equal(*answers)


def side(order):
    return order.index("A") < order.index("B")


SAME_RIGHT = [by_moving, by_pairs, by_building]
SAME_WRONG = [
    ("read alike", lambda first, second: first == second),
    ("taken for indifferent", lambda first, second: first.replace("A", "") == second.replace("A", "")),
    ("only the side", lambda first, second: side(first) == side(second)),
    ("taken for the same", lambda first, second: True),
    ("taken for different", lambda first, second: False),
]

# front


def front(test):
    return function(
        "front(costs, gains)",
        "n = range(len(costs))",
        "def beats(j, k):",
        "    c, g, cost, gain = costs[j], gains[j], costs[k], gains[k]",
        f"    return {test}",
        "return [k for k in n if not any(beats(j, k) for j in n if j != k)]",
    )


def front_by_sorting(costs, gains):
    best, kept = float("-inf"), []
    for cost in sorted(set(costs)):
        top = max(g for c, g in zip(costs, gains) if c == cost)
        if top > best:
            kept += [k for k, pair in enumerate(zip(costs, gains)) if pair == (cost, top)]
            best = top
    return sorted(kept)


FRONT_RIGHT = [front("c <= cost and g >= gain and (c < cost or g > gain)"), front_by_sorting]
FRONT_WRONG = [
    ("twins beat", front("c <= cost and g >= gain")),
    ("better in both", front("c < cost and g > gain")),
    ("turned round", front("c >= cost and g <= gain and (c, g) != (cost, gain)")),
    ("large costs", front("c >= cost and g >= gain and (c, g) != (cost, gain)")),
    ("only the best row", lambda costs, gains: [gains.index(max(gains))]),
    ("the beaten rows", lambda costs, gains: sorted(set(range(len(costs))) - set(front_by_sorting(costs, gains)))),
]

# one_answer


def answer(take):
    return function(
        "one_answer(chances, things)",
        "rows = {name: chances[[thing == name for thing in things]] for name in things}",
        f"return {{name: {take} for name, r in rows.items()}}",
    )


def answer_by_loops(chances, things):
    sums = {}
    for row, name in zip(chances, things):
        sums[name] = sums.get(name, 0) + row
    return {name: int(np.argmax(total.numpy())) for name, total in sums.items()}


ANSWER_RIGHT = [answer("r.mean(0).argmax()"), answer_by_loops, answer("r.sum(0).argmax().item()")]
ANSWER_WRONG = [
    ("first picture", answer("r[0].argmax()")),
    ("last picture", lambda chances, things: dict(zip(things, chances.argmax(1)))),
    ("a vote", answer("r.argmax(1).mode().values")),
    ("surest picture", answer("r.amax(0).argmax()")),
    ("for each picture", lambda chances, things: chances.argmax(1)),
    ("whatever they show", answer("chances.mean(0).argmax()")),
]

# new_head


def head(*lines, end="return model"):
    return function("new_head(model, classes)", *lines, end)


FREEZE = "model.requires_grad_(False)"
PUT = "model.classifier[-1] = torch.nn.Linear(model.classifier[-1].in_features, classes)"


def a_net_around(model, classes):
    for parameter in model.parameters():
        parameter.requires_grad = False
    return nn.Sequential(model.features, *model.classifier[:-1], nn.Linear(6, classes))


HEAD_RIGHT = [head(FREEZE, PUT), head(PUT, "model.features.requires_grad_(False)"), a_net_around]
HEAD_WRONG = [
    ("no network", head(FREEZE, PUT, end="return model.classifier[-1].weight")),
    ("behind the old", head(FREEZE, "model.classifier.append(torch.nn.Linear(20, classes))")),
    ("old classes", head(FREEZE, "model.classifier[-1].requires_grad_(True)")),
    ("nothing learns", head(PUT, FREEZE)),
    ("everything learns", head(PUT)),
    ("other ones than before", head(FREEZE, PUT, "for p in model.features.parameters(): p.data.zero_()")),
]

# entrant


def convolutional(width=12, *, rate=0.01, norm=True, outputs=10):
    def entrant():
        layers, maps = [], 1
        for out in (width, 2 * width):
            layers += [nn.Conv2d(maps, out, 3, padding=1), *([nn.BatchNorm2d(out)] if norm else [])]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            maps = out
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(maps * 49, outputs)), rate

    return entrant


def one_layer():
    norm = [nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), *norm, nn.Flatten(), nn.Linear(16 * 196, 10)), 0.01


ENTRANT_RIGHT = [convolutional(16), one_layer]
ENTRANT_WRONG = [
    ("not a network and its rate", lambda: convolutional()()[0]),
    ("not N×10", convolutional(outputs=8)),
    ("matrix itself", lambda: (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 0.03)),
    ("too much work", convolutional(64)),
    ("not left a guess", convolutional(4, norm=False, rate=1e-5)),
    ("the matrix is ahead", convolutional(4, norm=False)),
]

ANSWERS = {
    "labels_of": (LABELS_RIGHT, LABELS_WRONG),
    "same_network": (SAME_RIGHT, SAME_WRONG),
    "front": (FRONT_RIGHT, FRONT_WRONG),
    "one_answer": (ANSWER_RIGHT, ANSWER_WRONG),
    "new_head": (HEAD_RIGHT, HEAD_WRONG),
    "entrant": (ENTRANT_RIGHT, ENTRANT_WRONG),
}


TestAnswers = answer_tests(ch12.EXERCISES, ANSWERS, unmade=["or by luck"])


def test_an_entrant_ahead_by_luck_only_is_told_so():
    ahead = next(mistake for mistake in EXERCISES["entrant"].mistakes if "by luck" in mistake.name)
    assert ahead.looks_like({"noise": True, "behind": False, "guess": False}) and not ahead.looks_like({"noise": False})
