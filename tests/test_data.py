import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator
from torch._subclasses.fake_tensor import FakeTensorMode

from cnnlib.data import Batches, Images, Normalize, Pad, cutout, random_crop, random_flip


def some_images(count: int = 10, channels: int = 1, side: int = 6) -> Images:
    pixels = torch.randint(
        0, 256, (count, channels, side, side), dtype=torch.uint8, generator=Generator().manual_seed(0)
    )
    return Images(pixels, torch.arange(count) % 3, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("pixels", "labels", "reason"),
    [
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64), "must be bytes"),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), "must be bytes"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), "2 images need as many"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(2), "int64 labels"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 3]), "labels run from 0 to 3, but there are 3"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([-1, 0]), "labels run from -1"),
    ],
)
def test_images_that_cannot_be_are_refused(pixels, labels, reason):
    with pytest.raises(ValueError, match=reason):
        Images(pixels, labels, ("a", "b", "c"))


@settings(max_examples=25, deadline=None)
@given(count=st.integers(2, 40), share=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_a_split_keeps_every_image_once(count, share, seed):
    images = Images(
        torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1), torch.zeros(count, dtype=torch.int64), ("a",)
    )
    size = min(max(int(count * share), 1), count - 1)
    rest, part = images.split(size, seed)
    assert (len(rest), len(part)) == (count - size, size)
    assert sorted(torch.cat([rest.pixels, part.pixels]).flatten().tolist()) == list(range(count))
    assert torch.equal(images.split(size, seed)[1].pixels, part.pixels)


def test_a_split_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="between 1 and 9"):
        some_images(10).split(10)


def test_the_fingerprint_sees_one_changed_pixel_and_one_changed_label():
    images = some_images()
    changed, relabelled = images.pixels.clone(), images.labels.clone()
    changed[3, 0, 2, 2] ^= 1
    relabelled[0] = 2
    prints = {
        Images(p, y, images.classes).fingerprint()
        for p in (images.pixels, changed)
        for y in (images.labels, relabelled)
    }
    assert len(prints) == 4 and images.fingerprint() in prints


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 50), size=st.integers(1, 60), shuffled=st.booleans())
def test_a_pass_shows_every_image_once(count, size, shuffled):
    images = Images(
        torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1), torch.zeros(count, dtype=torch.int64), ("a",)
    )
    batches = Batches(images, size, [], Generator().manual_seed(0) if shuffled else None)
    assert len(list(batches)) == len(batches)
    passes = [torch.cat([pixels.flatten() for pixels, _ in batches]).tolist() for _ in range(2)]
    for order in passes:
        assert sorted(order) == list(range(count))
    if not shuffled:
        assert passes[0] == list(range(count))


def test_every_pass_has_an_order_of_its_own_and_a_seed_repeats_them():
    def orders(seed):
        batches = Batches(some_images(50), 50, [], Generator().manual_seed(seed))
        return [next(iter(batches))[1].tolist() for _ in range(2)]

    first, second = orders(0)
    assert first != second
    assert orders(0) == [first, second]


def test_labels_stay_with_their_images():
    images = some_images(60, side=1)
    tagged = Images(images.labels.to(torch.uint8).view(-1, 1, 1, 1), images.labels, images.classes)
    assert all(torch.equal(p.flatten().long(), y) for p, y in Batches(tagged, 7, [], Generator().manual_seed(1)))


def test_normalize_centres_each_channel_of_its_reference():
    images = some_images(5000, channels=3)
    floats = Normalize(images)(images.pixels)
    torch.testing.assert_close(floats.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(floats.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_pad_makes_32_of_28_with_a_black_border():
    padded = Pad(2)(torch.full((1, 1, 28, 28), 9, dtype=torch.uint8))
    assert padded.shape == (1, 1, 32, 32) and padded.sum() == 9 * 28 * 28 and padded[0, 0, 2, 2] == 9


def test_flips_and_crops_treat_each_image_on_its_own():
    images = torch.arange(36.0).view(1, 1, 6, 6).repeat(200, 1, 1, 1)
    mirrored = (random_flip(images, Generator().manual_seed(0)) == images.flip(3)).all((1, 2, 3))
    assert 60 < mirrored.sum() < 140
    cropped = random_crop(images, 2, Generator().manual_seed(0))
    assert cropped.shape == images.shape and len(cropped.unique(dim=0)) == 25  # 5 × 5 shifts, all of them met


def test_a_crop_is_a_shift_with_black_moving_in():
    image = torch.arange(1.0, 37.0).view(1, 1, 6, 6)
    shifts = {tuple(random_crop(image, 1, Generator().manual_seed(s)).flatten().tolist()) for s in range(60)}
    padded = torch.nn.functional.pad(image, [1] * 4)
    assert shifts == {tuple(padded[0, 0, r : r + 6, c : c + 6].flatten().tolist()) for r in range(3) for c in range(3)}


def test_cutout_blackens_one_whole_square_of_each_image_on_its_own():
    images = torch.ones(2000, 2, 5, 6)
    holes = 1 - cutout(images, 3, Generator().manual_seed(0))
    places = {tuple(image.flatten().tolist()) for image in holes}
    wanted = torch.zeros(3, 4, 2, 5, 6)
    for top in range(3):
        for left in range(4):
            wanted[top, left, :, top : top + 3, left : left + 3] = 1
    assert places == {tuple(image.flatten().tolist()) for image in wanted.flatten(0, 1)}
    assert images.min() == 1, "the images themselves stay whole"
    with pytest.raises(ValueError, match="no room in images of 5×6"):
        cutout(images, 6)


def test_normalize_follows_the_pixels_to_their_device():
    normalize = Normalize(some_images())
    with FakeTensorMode(allow_non_fake_inputs=True):  # shapes and devices without a GPU
        floats = normalize(torch.zeros(2, 1, 6, 6, dtype=torch.uint8, device="cuda"))
    assert floats.device.type == "cuda" and floats.dtype == torch.float32


def test_a_channel_of_one_value_becomes_zero():
    grey = Images(torch.full((3, 1, 4, 4), 7, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ("a",))
    assert torch.equal(Normalize(grey)(grey.pixels), torch.zeros(3, 1, 4, 4))
