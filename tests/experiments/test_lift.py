from dataclasses import replace

import torch
from torch import nn

from cnnlib.claims import mean_accuracy
from cnnlib.datasets import fashion
from cnnlib.experiments import lift
from cnnlib.experiments.lift import ARMS, FULL, LIVE, build
from cnnlib.models import lenet_cifar, vgg11_cifar
from cnnlib.records import read_all

CPU = torch.device("cpu")
FEW = replace(LIVE, data=lambda: tuple(part[:32] for part in fashion()), recipe=replace(LIVE.recipe, epochs=1))


def shapes(model: nn.Module) -> list[torch.Size]:
    return [p.shape for p in model.parameters()]


def test_the_way_leads_from_lenet_to_the_simplified_vgg():
    assert shapes(build(ARMS["lenet"])) == shapes(lenet_cifar())
    assert shapes(build(ARMS["augment"])) == shapes(vgg11_cifar())
    images = torch.randn(2, 3, 32, 32)
    for arm, theirs in (("lenet", lenet_cifar()), ("augment", vgg11_cifar())):
        ours = build(ARMS[arm])
        ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values())))
        torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_each_step_changes_one_thing():
    lenet, width, depth, norm, augment = ARMS.values()
    assert width == replace(lenet, blocks=((64, 1), (128, 1)))
    assert norm == replace(depth, norm=True) and augment == replace(norm, augment=True)
    assert len(build(depth).state_dict()) < len(build(norm).state_dict())


def test_only_the_last_step_sees_its_images_moved(monkeypatch):
    moved = []

    def flip(images):
        moved.append(len(images))
        return images

    monkeypatch.setattr(lift, "random_flip", flip)
    for arm in ("lenet", "augment"):
        lift.run(arm, 0, FEW, CPU)
    assert moved == [32], "training images once, test images never"


def test_the_simplified_vgg_reads_the_number_that_is_told_of_it():
    (run,) = read_all(FULL.name)["augment"]
    assert run.accuracy > 0.8292 and run.parameters == 9_231_114


def test_the_first_net_reads_two_of_three_photographs():
    runs = read_all(FULL.name)["lenet"]
    assert len(runs) >= 3 and all(run.parameters == 62_006 for run in runs)
    assert min(run.accuracy for run in runs) >= 0.62 and 0.65 < mean_accuracy(runs) < 0.69
