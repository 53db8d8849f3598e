from dataclasses import replace
from itertools import permutations

import pytest
import torch
from torch import nn

from cnnlib.claims import beats
from cnnlib.experiments import orders
from cnnlib.experiments.orders import ARMS, LIVE, build, nothing_dropped, random_labels
from cnnlib.records import read_all

CPU = torch.device("cpu")
SMALL = replace(
    LIVE, data=lambda: tuple(part[:96] for part in orders.few()), recipe=replace(LIVE.recipe, epochs=1), seeds=2
)


def outputs(order: str) -> torch.Tensor:
    torch.manual_seed(0)
    return build(order)(torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(1)))


def test_the_layers_stand_in_the_order_of_the_letters():
    kinds = [type(layer) for layer in build("DPBA")]
    four = [nn.Dropout, nn.MaxPool2d, nn.BatchNorm2d, nn.ReLU]
    assert kinds == [nn.Conv2d, *four, nn.Conv2d, *four, nn.Flatten, nn.Linear]


def test_the_arms_with_dropout_are_the_24_orders_each_once():
    reached = {arm: outputs(arm) for arm in ARMS if "D" in arm}
    homes = set()
    for order in map("".join, permutations("BAPD")):
        logits = outputs(order)
        (home,) = [arm for arm in reached if torch.equal(reached[arm], logits)]
        homes.add(home)
    assert homes == set(reached) and len(ARMS) == 13


def test_a_run_repeats_itself_and_another_seed_differs():
    runs = [orders.run("BAPD", seed, SMALL, CPU) for seed in (0, 0, 1)]
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


def test_without_dropout_the_sabotage_leaves_the_pool_and_dropout_in_any_order():
    runs = [orders.run(arm, 0, SMALL, CPU, nothing_dropped) for arm in ("BAPD", "BADP", "BAP")]
    assert len({run.loss for run in runs}) == 1


def test_random_labels_keep_the_images():
    data = SMALL.load()
    _, spoiled = random_labels(build("BAP"), data, 0)
    assert torch.equal(spoiled[0].pixels, data[0].pixels) and not torch.equal(spoiled[0].labels, data[0].labels)


@pytest.mark.skipif(len(read_all(LIVE.name)) < len(ARMS), reason="the orders are not recorded yet")
def test_the_records_say_what_the_chapter_says():
    runs = read_all(LIVE.name)
    assert all(beats(runs["BAP"], runs[arm], by=0) for arm in ARMS if arm != "BAP")
    assert [arm for arm in ("ABPD", "PABD", "DPBA") if beats(runs[arm], runs["BAPD"], by=0)] == ["ABPD", "PABD"]
