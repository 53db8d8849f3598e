from dataclasses import replace

import torch
from torch import nn

from cnnlib.experiments import scaling, searches
from cnnlib.experiments.searches import ARMS, LIVE
from cnnlib.records import read_all

CPU = torch.device("cpu")


def few():
    part, test = scaling.few()
    return part[:64], test[:50]


def test_three_decisions_with_three_answers_make_27_different_nets():
    assert len(ARMS) == 27 and len({(arm.parts, arm.blocks) for arm in ARMS.values()}) == 27
    assert {"0-0-0", "2-2-2", "1-1-0"} <= set(ARMS)
    assert ARMS["1-1-0"] == scaling.ARMS["base"]


def test_an_arm_is_what_its_name_says():
    net = scaling.build(ARMS["2-0-1"])
    windows = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
    assert [(m.kernel_size[0], m.in_channels) for m in windows] == [(5, 32), (5, 48), (3, 24)]


def test_a_run_is_written_under_the_search():
    record = searches.run("0-2-1", 1, replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=1)), CPU)
    assert (record.experiment, record.arm, record.seed) == ("searches", "0-2-1", 1)


def test_the_table_is_whole():
    table = read_all(LIVE.name)
    assert set(table) == set(ARMS) and all([run.seed for run in found] == list(range(4)) for found in table.values())
