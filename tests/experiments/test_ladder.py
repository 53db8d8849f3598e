from dataclasses import replace

import pytest
import torch

from cnnlib import records
from cnnlib.data import Images
from cnnlib.datasets import fashion
from cnnlib.experiments import ladder
from cnnlib.experiments.ladder import ARMS, FULL, LIVE, padding

FEW = replace(LIVE, data=lambda: tuple(part[:40] for part in fashion()), recipe=replace(LIVE.recipe, epochs=1))


def colours(side: int) -> Images:
    pixels = torch.randint(0, 256, (20, 3, side, side), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Images(pixels, torch.arange(20) % 10, tuple("abcdefghij"))


@pytest.mark.parametrize("arm", ["lenet_cifar", "zfnet_cifar", "densenet22"])
def test_a_rung_is_a_network_of_the_course_with_the_data_s_channels(arm):
    for data, channels in ((FEW.data, 1), (lambda: (colours(32), colours(32)), 3)):
        record = ladder.run(arm, 0, replace(FEW, data=data), torch.device("cpu"))
        assert record.parameters == sum(p.numel() for p in ladder.NETS[arm](channels, 10).parameters())


def test_images_of_28_pixels_are_padded_and_those_of_32_left_alone():
    assert [step(colours(28).pixels).shape[-1] for step in padding(colours(28))] == [32]
    assert padding(colours(32)) == []


def test_a_seed_sets_weights_and_order():
    runs = [ladder.run("lenet_cifar", seed, FEW, torch.device("cpu")) for seed in (0, 0, 1)]
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


def test_rungs_without_a_record_are_named_with_the_command_that_makes_them(tmp_path, capsys):
    record = replace(ladder.run("lenet_cifar", 0, FEW, torch.device("cpu")), data="cifar10")
    records.write(record, FULL.name, tmp_path)
    assert ladder.recorded("lenet_cifar", runs=tmp_path) == {"lenet_cifar": [record]}
    assert capsys.readouterr().out == ""
    assert list(ladder.recorded("lenet_cifar", "vgg_cifar", "nin_cifar", runs=tmp_path)) == ["lenet_cifar"]
    assert "python -m cnnlib run ladder --full --arms vgg_cifar nin_cifar" in capsys.readouterr().out


def test_a_rung_in_mixed_precision_stands_where_there_is_none_in_32_bits(tmp_path):
    mixed = FULL.changed(bfloat16=True)
    record = replace(ladder.run("lenet_cifar", 0, FEW, torch.device("cpu")), data="cifar10")
    for run in (record, replace(record, arm="nin_cifar")):
        records.write(replace(run, seconds=1.0), mixed.name, tmp_path)
    records.write(record, FULL.name, tmp_path)
    found = ladder.recorded("lenet_cifar", "nin_cifar", runs=tmp_path)
    assert found["lenet_cifar"] == [record] and found["nin_cifar"][0].seconds == 1.0


def test_every_rung_climbs_higher_in_time():
    years = [int(name.rpartition(", ")[2]) for name in ARMS.values()]
    assert years == sorted(years) and set(ARMS) <= set(ladder.NETS)


def test_prices_are_those_of_each_rung_s_first_run():
    record = ladder.run("lenet_cifar", 0, FEW, torch.device("cpu"))
    first = replace(record, parameters=1234, macs=5_600_000, epochs=[{"loss": 1.0, "accuracy": 0.78}])
    lines = ladder.prices({"lenet_cifar": [first, record], "inception_v3_cifar": [record]}).splitlines()
    assert lines[0] == "LeNet, 1998           1,234 parameters,    5.6 million multiply-adds, right in training 78%"
    assert lines[1].startswith("Inception v3, 2015 ") and ladder.prices({}) == ""
