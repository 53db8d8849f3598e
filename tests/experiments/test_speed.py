from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.data import Normalize, cutout
from cnnlib.datasets import fashion
from cnnlib.experiments import speed
from cnnlib.experiments.small_vgg import BothWays
from cnnlib.experiments.speed import ARMS, FULL, LIVE, SixWays, build, smoothed, whiten
from cnnlib.records import read_all

CPU = torch.device("cpu")


def few(count: int = 64):
    return lambda: tuple(part[:count] for part in fashion())


def test_the_first_convolution_begins_with_answers_that_vary_alike_and_know_nothing_of_each_other():
    part, _ = few(200)()
    images = Normalize(part)(part.pixels)
    conv = nn.Conv2d(1, 8, 2)
    whiten(conv, images)
    answers = conv(images)[:, :4].transpose(0, 1).flatten(1)
    spread = torch.cov(answers)
    assert (spread - spread.diag().diag()).abs().max() < 0.01
    assert spread.diag().min() > 0.7 and spread.diag().max() < 1.01, "the rarest direction is held back a little"
    assert torch.equal(conv.weight[:4], -conv.weight[4:])


def test_the_loss_gives_a_fifth_of_each_label_to_all_classes():
    model, images = nn.Flatten(), torch.randn(6, 10, 1, 1)
    labels = torch.arange(6)
    wanted = 0.8 * F.one_hot(labels, 10) + 0.2 / 10
    expected = -(wanted * images.flatten(1).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(smoothed(model, images, labels)[0], expected)


def test_the_nets_have_a_first_window_of_2_pixels_and_three_groups_of_two_convolutions():
    for name, arm in ARMS.items():
        convs = [layer for layer in build(arm).modules() if isinstance(layer, nn.Conv2d)]
        assert [conv.kernel_size[0] for conv in convs] == [2] + 6 * [3], name
        assert [conv.out_channels for conv in convs] == [24, *(width for width in arm.widths for _ in range(2))]


def test_the_first_convolution_of_the_fixed_nets_ends_as_it_began(monkeypatch):
    size = replace(LIVE, data=few(), recipe=replace(LIVE.recipe, epochs=1, batch_size=64))
    nets, begun = [], []

    def seen(model, data, seed):
        nets.append(model.features.conv1[0])
        return model, data

    def start(conv, images):
        begun.append({name: value.clone() for name, value in conv.state_dict().items()})

    monkeypatch.setattr(speed, "whiten", start)
    for arm in ARMS:
        speed.run(arm, 0, size, CPU, seen)
        stays = [torch.equal(value, begun[-1][name]) for name, value in nets[-1].state_dict().items()]
        assert stays == 2 * [arm not in ("narrow", "middle", "wide")], arm


def test_lean_nets_learn_no_scale_of_a_norm_and_end_in_the_largest_value_of_each_map():
    for name, arm in ARMS.items():
        net = build(arm)
        norms = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert len(norms) == 6 and {norm.weight.requires_grad for norm in norms} == {not arm.lean}, name
        assert all(norm.bias.requires_grad for norm in norms), name
        maps = torch.randn(2, arm.widths[-1], 3, 3)
        pooled = maps.amax((2, 3)) if arm.lean else maps.mean((2, 3))
        torch.testing.assert_close(net.classifier(maps), net.classifier[-1](pooled))


def test_six_ways_average_the_answers_of_an_image_its_shifts_and_their_mirrors():
    net, images = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 5)), torch.randn(2, 3, 4, 4)
    down, up = torch.tensor([1, 0, 1, 2]), torch.tensor([1, 2, 3, 2])  # the border is mirrored in
    views = {images: 1 / 2, images[:, :, down][..., down]: 1 / 4, images[:, :, up][..., up]: 1 / 4}
    both = {view: (net(view).softmax(1) + net(view.flip(3)).softmax(1)) / 2 for view in views}
    expected = sum(share * both[view] for view, share in views.items())
    torch.testing.assert_close(SixWays(net).eval()(images).exp(), expected)


def test_lean_nets_are_asked_six_ways_and_those_with_holes_train_on_images_with_a_black_square(monkeypatch):
    given = {}

    def seen(model, data, size, *, arm, augment, **_):
        given[arm] = model, augment

    monkeypatch.setattr(speed, "train_and_record", seen)
    for name, arm in ARMS.items():
        speed.run(name, 0, replace(LIVE, data=few()), CPU)
        model, (_, *holes) = given[name]
        assert type(model) is (SixWays if arm.lean else BothWays), name
        assert [(step.func, step.keywords) for step in holes] == bool(arm.hole) * [(cutout, {"size": arm.hole})], name


def test_a_seed_sets_weights_order_and_augmentation():
    size = replace(LIVE, data=few(), recipe=replace(LIVE.recipe, epochs=1, batch_size=32))
    runs = [speed.run("narrow", seed, size, CPU) for seed in (0, 0, 1)]
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


def test_the_narrow_net_reads_in_five_passes_what_is_told_of_a_vgg_in_32_bits_and_in_bfloat16():
    mixed = read_all(FULL.changed(bfloat16=True).name)
    for runs in (read_all(FULL.name)["narrow"], mixed["narrow"], mixed["narrow-fixed"], mixed["narrow-lean"]):
        assert len(runs) == 3 and min(run.accuracy for run in runs) > 0.8292
