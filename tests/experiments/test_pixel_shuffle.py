from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Generator

from cnnlib.claims import mean_accuracy
from cnnlib.data import Batches, Images, Normalize
from cnnlib.datasets import digits
from cnnlib.experiments import pixel_shuffle
from cnnlib.experiments.pixel_shuffle import ARMS, LIVE, built, permutation, shuffled
from cnnlib.experiments.running import processor_threads
from cnnlib.models import cnn, mlp
from cnnlib.records import RUNS, read_all
from cnnlib.training import train

PLACES = Images(
    torch.arange(196, dtype=torch.uint8).view(1, 1, 14, 14).repeat(3, 1, 1, 1), torch.zeros(3).long(), ("a",)
)


@pytest.mark.parametrize("shuffle", ["none", "inside2", "inside7", "all", "each"])
def test_every_pixel_arrives_once(shuffle):
    moved = shuffled(PLACES, shuffle, seed=0).pixels.flatten(1)
    assert all(image.sort().values.tolist() == list(range(196)) for image in moved)


def test_none_moves_nothing_and_all_moves_nearly_everything():
    assert torch.equal(shuffled(PLACES, "none", 0).pixels, PLACES.pixels)
    assert (shuffled(PLACES, "all", 0).pixels == PLACES.pixels).float().mean() < 0.1


@pytest.mark.parametrize(("shuffle", "alike"), [("all", True), ("inside7", True), ("each", False)])
def test_one_permutation_for_all_images_or_one_for_each(shuffle, alike):
    first, second, third = shuffled(PLACES, shuffle, 0).pixels
    assert torch.equal(first, second) == torch.equal(second, third) == alike


def test_the_test_part_moves_as_the_training_part_does_unless_each_image_moves_its_own_way():
    longer = Images(PLACES.pixels[:1].repeat(5, 1, 1, 1), torch.zeros(5).long(), ("a",))
    for shuffle, same in (("all", True), ("inside2", True), ("each", False)):
        assert torch.equal(shuffled(PLACES, shuffle, 4).pixels[0], shuffled(longer, shuffle, 4).pixels[0]) == same


@pytest.mark.parametrize("block", [4, 7])
def test_pixels_stay_inside_their_block_and_move_alike_in_every_block(block):
    index = permutation(f"inside{block}", 28, Generator().manual_seed(0))
    come_from, arrive_at = index, torch.arange(784)
    for axis in (lambda place: place // 28, lambda place: place % 28):
        assert torch.equal(axis(come_from) // block, axis(arrive_at) // block)
    steps = (come_from - arrive_at).view(28, 28)
    assert torch.equal(steps, steps[:block, :block].repeat(28 // block, 28 // block))


def test_a_seed_sets_weights_order_and_permutation():
    size = replace(LIVE, recipe=replace(LIVE.recipe, epochs=1), data=few)
    runs = [pixel_shuffle.run("mlp-all", seed, size, torch.device("cpu")) for seed in (0, 0, 1)]
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


def few():
    part, test = digits()
    return part[:500], test[:500]


def test_the_arm_that_the_chapter_builds_by_hand_is_the_library_s():
    size = replace(LIVE, data=few)
    record = pixel_shuffle.run("cnn-none", 5, size, torch.device("cpu"))
    part, _ = few()
    torch.manual_seed(5)
    model = cnn()
    batches = Batches(part, size.recipe.batch_size, [Normalize(part)], Generator().manual_seed(5))
    with processor_threads(size.threads):
        epoch = next(train(model, batches, size.recipe))
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert record.epochs[0]["loss"] == epoch.train.loss


def test_ten_recorded_runs_of_every_arm_say_what_the_chapter_says():
    runs = read_all(LIVE.name, RUNS)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
    order = ["cnn-none", "cnn-inside4", "cnn-inside7", "cnn-all"]
    means = [mean_accuracy(runs[arm]) for arm in order]
    assert all(a - b >= 0.01 for a, b in pairwise(means))
    assert {run.data_hash for found in runs.values() for run in found} == {digits()[0].fingerprint()}


def test_for_photographs_in_colour_both_nets_are_larger_and_again_of_one_size():
    images = Images(torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64), ("a",) * 10)
    counts = [sum(p.numel() for p in built(net, images).parameters()) for net in (mlp, cnn)]
    assert counts == [62_090, 62_006]


def test_blocks_that_do_not_tile_the_images_are_refused():
    with pytest.raises(ValueError, match=r"blocks of 7×7 pixels do not tile images of 32×32: leave out this arm"):
        permutation("inside7", 32, Generator())
