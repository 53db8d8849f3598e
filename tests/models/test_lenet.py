import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.datasets import digits
from cnnlib.models import lenet, lenet5, lenet_cifar
from cnnlib.models.lenet import BITMAPS, CONNECTIONS, ConnectedConv2d, RadialBasis, ScaledTanh, SubSampling, bitmaps
from cnnlib.training import Recipe, train
from tests.models.twins import one_thread


@pytest.mark.parametrize(("channels", "parameters"), [(1, 61_706), (3, 62_006)])
def test_parameters_of_today_s_lenet(channels, parameters):
    assert sum(p.numel() for p in lenet(channels).parameters()) == parameters


def test_maps_have_the_sizes_of_the_paper():
    shapes = [cost.shape for cost in summary(lenet(), (1, 32, 32)) if cost.kind in ("Conv2d", "MaxPool2d", "Linear")]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]


def test_features_and_classifier_make_the_logits():
    model, images = lenet().eval(), torch.randn(2, 1, 32, 32)
    assert model.features(images).shape == (2, 16, 5, 5)
    torch.testing.assert_close(model(images), model.classifier(model.features(images)))


def test_lenet5_has_60000_parameters_layer_by_layer():
    costs = {cost.name: cost for cost in summary(lenet5(), (1, 32, 32))}
    layers = ["features.c1", "features.s2", "features.c3", "features.s4", "features.c5", "classifier.f6"]
    assert [costs[name].parameters for name in layers] == [156, 12, 1_516, 32, 48_120, 10_164]
    assert [costs[name].shape for name in layers] == [
        (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1), (84,),
    ]  # fmt: skip
    assert costs[""].parameters == 60_000 and costs[""].shape == (10,)


def test_the_output_layer_has_840_fixed_weights():
    model = lenet5()
    assert model.classifier.output.prototypes.numel() == 840
    assert not list(model.classifier.output.parameters())
    assert "classifier.output.prototypes" in model.state_dict()


def test_c3_sees_what_table_1_says():
    assert [len(row) for row in CONNECTIONS] == 6 * [3] + 9 * [4] + [6]
    neighbours = [{(first + step) % 6 for step in range(count)} for count in (3, 4) for first in range(6)]
    assert sorted(map(sorted, neighbours)) == sorted(map(list, CONNECTIONS[:12]))
    assert len(set(CONNECTIONS)) == 16
    layer = lenet5().features.c3[0]
    assert (layer.weight.numel() + layer.bias.numel()) * 10 * 10 == 151_600  # the paper's connections
    # A change of one input map reaches the maps that see it, and no other.
    images = torch.rand(1, 6, 5, 5)
    for seen in range(6):
        changed = images.clone()
        changed[:, seen] += 1
        reached = (layer(changed) != layer(images)).flatten().tolist()
        assert reached == [seen in row for row in CONNECTIONS]


def test_c3_is_sixteen_convolutions_over_chosen_maps():
    layer, maps = ConnectedConv2d(CONNECTIONS, 5), torch.randn(2, 6, 14, 14)
    kernels = layer.weight.split([len(row) for row in CONNECTIONS])
    parts = [F.conv2d(maps[:, list(row)], k[None], b[None]) for row, k, b in zip(CONNECTIONS, kernels, layer.bias)]
    torch.testing.assert_close(layer(maps), torch.cat(parts, 1))


def test_subsampling_adds_four_points_and_has_two_parameters_a_map():
    layer, maps = SubSampling(2), torch.arange(32.0).reshape(1, 2, 4, 4)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor([2.0, -1.0]), torch.tensor([10.0, 0.0])
    assert layer(maps)[0, :, 0, 0].tolist() == [2 * (0 + 1 + 4 + 5) + 10, -(16 + 17 + 20 + 21)]


def test_every_unit_up_to_f6_is_squashed_before_and_after_sub_sampling():
    model = lenet5()
    assert all(isinstance(layer[-1], ScaledTanh) for layer in [*model.features, model.classifier.f6])
    torch.testing.assert_close(
        ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0, 1]), atol=1e-4, rtol=0
    )
    assert ScaledTanh()(torch.tensor(99.0)) == pytest.approx(1.7159)


def test_c5_is_a_convolution():
    assert lenet5().features(torch.zeros(1, 1, 36, 36)).shape == (1, 120, 2, 2)


def test_f6_showing_a_bitmap_is_read_as_its_digit():
    outputs = RadialBasis(bitmaps())(bitmaps())
    assert outputs.argmax(1).tolist() == list(range(10))
    assert outputs.diagonal().tolist() == 10 * [0] and (outputs <= 0).all()
    points = (bitmaps()[0] != bitmaps()[1]).sum()
    assert outputs[0, 1] == -4 * points  # each point that differs is 2 away


def test_bitmaps_are_12_rows_of_7_points_and_differ_in_six_at_least():
    assert bitmaps().shape == (10, 7 * 12) and set(BITMAPS) == set(" \n.#")
    assert {len(row) for row in BITMAPS.split()} == {7}
    first_row_of_ink = bitmaps()[7].reshape(12, 7)[1]
    assert (first_row_of_ink == 1).all()  # the bar of the seven, so rows are rows
    assert min((a != b).sum() for i, a in enumerate(bitmaps()) for b in bitmaps()[:i]) == 6


def test_initial_weights_fill_the_interval_of_the_paper():
    torch.manual_seed(0)
    model = lenet5()
    for layer, inputs in [(model.features.c1[0], 25), (model.features.c5[0], 400), (model.classifier.f6[1], 120)]:
        assert 2.3 < inputs * layer.weight.abs().max() <= 2.4
    for kernels, row in zip(model.features.c3[0].weight.split([len(row) for row in CONNECTIONS]), CONNECTIONS):
        assert 1.8 < 25 * len(row) * kernels.abs().max() <= 2.4
    assert model.features.s4[0].weight.abs().max() <= 2.4 / 4


@one_thread()
def test_lenet5_learns_digits():
    torch.manual_seed(0)
    images = digits()[0][:1000]
    batches = Batches(images, 50, [Pad(2), Normalize(images)], torch.Generator().manual_seed(0))
    *_, last = train(lenet5(), batches, Recipe(4, 0.01))
    assert last.train.accuracy > 0.6


def test_lenet_cifar_trains_on_colour_images():
    model = lenet_cifar()
    assert sum(p.numel() for p in model.parameters()) == 62_006
    logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([0, 9])).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())
    assert isinstance(model.classifier[-1], nn.Linear)
