import math
from dataclasses import replace

import torch
from torch import Generator, nn

from cnnlib.claims import beats, mean_accuracy
from cnnlib.data import Batches, Normalize, Pad, random_flip
from cnnlib.datasets import fashion
from cnnlib.experiments import small_vgg
from cnnlib.experiments.running import processor_threads
from cnnlib.experiments.small_vgg import BLOCKS, LIVE, BothWays, build
from cnnlib.publish.pairs import read, sources
from cnnlib.records import read_all
from cnnlib.training import train


def few():
    part, test = fashion()
    return part[:300], test[:200]


def chapter() -> dict:
    """What chapter 06 defines to build its nets: its own code, run here."""
    space = {"nn": nn, "torch": torch, "math": math, "random_flip": random_flip}
    for cell in read(*sources(["06"])).cells:
        if cell.cell_type == "code" and any(
            word in cell.source for word in ("def make_layers", "def convolution", "class VGG", "class BothWays")
        ):
            exec(cell.source, space)
    return space


def test_the_net_that_the_chapter_builds_by_hand_is_the_library_s():
    size = replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=1))
    record = small_vgg.run("vgg", 5, size, torch.device("cpu"))
    part, _ = few()
    made = chapter()
    torch.manual_seed(5)
    features = made["make_layers"](list(BLOCKS), inputs=1, norm=True)
    model = made["VGG"](features, nn.Sequential(nn.Flatten(), nn.Linear(128 * 2 * 2, 10)))
    model = made["BothWays"](model).to(memory_format=torch.channels_last)
    batches = Batches(part, size.recipe.batch_size, [Pad(2), Normalize(part)], Generator().manual_seed(5))
    with processor_threads(1):
        (epoch,) = train(model, batches, size.recipe)
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert record.epochs[0]["loss"] == epoch.train.loss


def test_it_is_the_beginning_of_configuration_a_a_quarter_as_wide():
    net = build(BLOCKS)
    convs = [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    assert convs == [channels // 4 for channels in (64, 128, 256, 256, 512, 512)]
    assert net.features(torch.zeros(2, 1, 32, 32)).shape == (2, 128, 2, 2)


def test_in_testing_the_answer_for_an_image_is_that_for_its_mirror_image_and_the_mean_of_both():
    torch.manual_seed(0)
    net = build(BLOCKS)
    both, images = BothWays(net).eval(), torch.randn(3, 1, 32, 32)
    mean = (net(images).softmax(1) + net(images.flip(3)).softmax(1)) / 2
    assert torch.allclose(both(images).softmax(1), mean, atol=1e-5)
    assert torch.allclose(both(images), both(images.flip(3)), atol=1e-5)


def test_recorded_runs_reach_what_the_chapter_says():
    runs = read_all(LIVE.name)["vgg"]
    assert len(runs) >= 3 and mean_accuracy(runs[:3]) >= 0.905 and mean_accuracy(runs) >= 0.905
    lenet = read_all(LIVE.name)["lenet"]
    assert len(lenet) == 10 and beats(runs, lenet, by=0) and mean_accuracy(runs) - mean_accuracy(lenet) < 0.01
