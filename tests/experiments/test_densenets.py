from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib.analysis import summary
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import densenets
from cnnlib.experiments.densenets import ARMS, LIVE, LONG, Wired, build, random_labels, repeated, rewired
from cnnlib.experiments.running import processor_threads
from cnnlib.publish.pairs import read, sources
from cnnlib.records import read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def few():
    part, test = densenets.few()
    return part[:96], test[:100]


SMALL = replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=1))


def total(arm: str, channels: int = 1):
    with torch.device("meta"):
        model = build(ARMS[arm], channels)
    return summary(model, (channels, 32, 32), depth=1)[-1]


def chapter() -> dict:
    """What chapter 10 defines to build its nets: its own code, run here."""
    space = {"nn": nn, "torch": torch}
    words = ("def norm_relu_conv", "class DenseLayer", "def plain_layer", "def densenet(")
    for cell in read(*sources(["10"])).cells:
        if cell.cell_type == "code" and any(word in cell.source for word in words):
            exec(cell.source, space)
    return space


def test_the_net_that_the_chapter_builds_by_hand_is_the_library_s():
    record, made, part = densenets.run("dense", 5, SMALL, CPU), chapter(), few()[0]
    torch.manual_seed(5)
    conv = nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight)
    model = made["densenet"]([conv], 16, made["plain_layer"], (6, 6), 8, 10)
    batches = Batches(part, SMALL.recipe.batch_size, [Normalize(part)], Generator().manual_seed(5))
    with processor_threads(1):
        (epoch,) = train(model, batches, SMALL.recipe)
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert record.epochs[0]["loss"] == epoch.train.loss


@pytest.mark.parametrize("channels", [1, 3])
def test_wirings_have_equal_weights_and_equal_work(channels):
    torch.manual_seed(0)
    dense = build(ARMS["dense"], channels).state_dict()
    for arm in ("ends", "inside", "chain"):
        torch.manual_seed(0)
        same = build(ARMS[arm], channels).state_dict()
        assert all(torch.equal(dense[name], same[name]) for name in dense) and len(dense) == len(same)
        assert total(arm, channels).macs == total("dense", channels).macs


@pytest.mark.parametrize("channels", [1, 3])
def test_rivals_and_growth_rates_have_about_as_many_parameters(channels):
    wanted = total("dense", channels).parameters
    for arm in ARMS:
        assert total(arm, channels).parameters == pytest.approx(wanted, rel=0.08)


def test_a_chain_sees_the_last_maps_only():
    first, last = torch.randn(1, 5, 2, 2), torch.randn(1, 2, 2, 2)
    (filled,) = repeated([first, last])
    assert filled.shape == (1, 7, 2, 2) and torch.equal(filled, last.repeat(1, 4, 1, 1)[:, :7])
    x = torch.randn(2, 16, 6, 6)
    torch.manual_seed(0)
    block = build(ARMS["chain"]).features.dense_block1.eval()
    out = block(x)
    assert out.shape == (2, 64, 6, 6) and torch.equal(out[:, :8], out[:, 8:16])
    whole = Wired(block, "all", "all")(x)
    assert torch.equal(whole[:, :16], x) and not torch.equal(whole[:, 16:24], whole[:, 24:32])


def test_rivals_are_as_deep_and_one_of_them_adds():
    layers = {arm: sum(isinstance(m, nn.Conv2d) for m in build(ARMS[arm]).modules()) for arm in ARMS}
    assert layers["plain"] == layers["residual"] == layers["dense"] == 14
    x = torch.randn(2, 20, 6, 6)
    torch.manual_seed(0)
    plain = build(ARMS["plain"]).features.block1[0].eval()
    torch.manual_seed(0)
    adding = build(ARMS["residual"]).features.block1[0].eval()
    torch.testing.assert_close(adding(x), plain(x) + x)


def test_a_seed_sets_weights_and_order():
    first, again, other = (densenets.run("chain", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_sabotage_draws_labels_and_rewires():
    data = few()
    _, (part, _) = random_labels(nn.Identity(), data, 0)
    assert part.labels.bincount().tolist() == data[0].labels.bincount().tolist()
    assert not torch.equal(part.labels, data[0].labels)
    torch.manual_seed(0)
    chain = build(ARMS["chain"]).eval()
    torch.manual_seed(0)
    model, same = rewired(build(ARMS["dense"]).eval(), data, 0)
    x = torch.randn(2, 1, 28, 28)
    assert torch.equal(model(x), chain(x)) and same is data


def test_ten_recorded_runs_of_every_arm():
    runs = read_all(LIVE.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}


def test_longer_runs_of_the_dense_net_and_of_the_chain():
    runs = read_all(LONG.name)
    seeds = {arm: [run.seed for run in found] for arm, found in runs.items()}
    assert seeds == {"dense": [0, 1, 2], "chain": [0, 1, 2]}
