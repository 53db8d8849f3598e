"""Data sets: where they are looked for, and what is said when one is missing or broken."""

import gzip
import hashlib
import io
import pickle
import socket
import struct
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlib import datasets
from cnnlib.datasets import DataError
from cnnlib.vision import torchvision

FULL = {"mnist": datasets.mnist, "fashion_mnist": datasets.fashion_mnist, "cifar10": datasets.cifar10}
WHOLE = datasets.SOURCES


def arrays_for(shape=(1, 28, 28), shade=0, **changes) -> dict[str, np.ndarray]:
    """Three training images and two for testing, all of one shade."""
    arrays = {"classes": np.array(list("0123456789"))}
    for part, count in [("train", 3), ("test", 2)]:
        arrays[f"{part}_images"] = np.full((count, *shape), shade, np.uint8)
        arrays[f"{part}_labels"] = np.arange(count)
    return arrays | changes


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def cached(tmp_path, monkeypatch) -> Path:
    """The cache of this test, empty; CNNLIB_DATA is unset, and nothing can be downloaded."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.delenv("CNNLIB_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    few = {name: replace(source, training=3) for name, source in datasets.SOURCES.items()}
    monkeypatch.setattr(datasets, "SOURCES", few)
    closed = "http://127.0.0.1:9/"
    sets = torchvision().datasets
    monkeypatch.setattr(sets.MNIST, "mirrors", [closed])
    monkeypatch.setattr(sets.FashionMNIST, "mirrors", [closed])
    monkeypatch.setattr(sets.CIFAR10, "url", closed + "cifar-10-python.tar.gz")
    return tmp_path / "cache" / "cnnlib"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    """A web server on this computer: its folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{web.server_port}/"
        web.shutdown()


def serve_mnist(server, monkeypatch, arrays) -> None:
    """Let torchvision's MNIST be these arrays, in the four files that it downloads."""
    folder, address = server
    resources = []
    for part, prefix in [("train", "train"), ("test", "t10k")]:
        images, labels = arrays[f"{part}_images"][:, 0], arrays[f"{part}_labels"].astype(np.uint8)
        for array, kind in [(images, "images-idx3"), (labels, "labels-idx1")]:
            header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            path = folder / f"{prefix}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(header + array.tobytes()))
            resources.append((path.name, hashlib.md5(path.read_bytes()).hexdigest()))
    monkeypatch.setattr(torchvision().datasets.MNIST, "mirrors", [address])
    monkeypatch.setattr(torchvision().datasets.MNIST, "resources", resources)


def serve_cifar10(server, monkeypatch, pixels: np.ndarray, labels: list[int]) -> None:
    """Let torchvision's CIFAR10 train and test on these images, in the archive that it downloads."""
    folder, address = server
    dataset = torchvision().datasets.CIFAR10
    batch = pickle.dumps({"data": pixels.reshape(len(pixels), -1), "labels": labels})
    names = pickle.dumps({"label_names": list(datasets.THINGS)})
    with tarfile.open(folder / dataset.filename, "w:gz") as archive:
        for name, content in [("data_batch_1", batch), ("test_batch", batch), ("batches.meta", names)]:
            member = tarfile.TarInfo(f"{dataset.base_folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    md5 = hashlib.md5(batch).hexdigest()
    monkeypatch.setattr(dataset, "url", address + dataset.filename)
    monkeypatch.setattr(dataset, "tgz_md5", hashlib.md5((folder / dataset.filename).read_bytes()).hexdigest())
    monkeypatch.setattr(dataset, "train_list", [["data_batch_1", md5]])
    monkeypatch.setattr(dataset, "test_list", [["test_batch", md5]])
    monkeypatch.setattr(dataset, "meta", dataset.meta | {"md5": hashlib.md5(names).hexdigest()})


# The embedded sets


@pytest.mark.parametrize(
    ("read", "sizes", "last"), [(datasets.digits, (8000, 2000), "9"), (datasets.fashion, (10_000, 2000), "ankle boot")]
)
def test_embedded_sets_are_pairs_of_images_read_once(read, sizes, last):
    train, test = read()
    assert (len(train), len(test)) == sizes
    assert train.pixels.shape[1:] == test.pixels.shape[1:] == (1, 28, 28)
    assert train.labels.dtype == torch.int64
    assert train.classes == test.classes and train.classes[9] == last
    assert read() is read()


def test_embedded_sets_are_found_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train, _ = datasets.digits.__wrapped__()
    assert torch.equal(train.pixels, datasets.digits()[0].pixels)


def test_without_the_repository_the_error_says_where_the_embedded_data_come_from(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "EMBEDDED", tmp_path)
    with pytest.raises(DataError, match=r"digits.npz is missing.*clone the repository.*pip install -e \."):
        datasets.digits.__wrapped__()


def test_a_damaged_embedded_file_is_restored_by_git(tmp_path, monkeypatch):
    whole = (datasets.EMBEDDED / "fashion.npz").read_bytes()
    (tmp_path / "fashion.npz").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(datasets, "EMBEDDED", tmp_path)
    with pytest.raises(DataError, match=r"fashion.npz cannot be used: it is cut off.*git checkout -- data/images"):
        datasets.fashion.__wrapped__()


# CNNLIB_DATA, then the cache


@pytest.mark.parametrize("name", FULL)
def test_cnnlib_data_comes_before_the_cache_and_the_cache_before_the_network(name, cached, tmp_path, monkeypatch):
    shape = datasets.SOURCES[name].shape
    write(cached / f"{name}.npz", arrays_for(shape, shade=1))
    assert FULL[name]()[0].pixels.unique().tolist() == [1]
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "given"))
    assert FULL[name]()[0].pixels.unique().tolist() == [1]  # no such folder: the cache still serves
    write(tmp_path / "given" / f"{name}.npz", arrays_for(shape, shade=2))
    train, test = FULL[name]()
    assert train.pixels.unique().tolist() == [2]
    assert (len(train), len(test), train.pixels.shape[1:]) == (3, 2, shape)
    assert test.labels.tolist() == [0, 1]


def test_home_is_understood_in_cnnlib_data(cached, tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    write(tmp_path / "given" / "mnist.npz", arrays_for(shade=3))
    monkeypatch.setenv("CNNLIB_DATA", "~/given")
    assert datasets.mnist()[0].pixels.unique().tolist() == [3]


WRONG_ARRAYS = {
    "train_images must be bytes .uint8. of shape N×1×28×28; these are float32": {
        "train_images": np.zeros((3, 1, 28, 28), np.float32)
    },
    r"train_images must be bytes .*these are uint8 of shape \(3, 28, 28\)": {
        "train_images": np.zeros((3, 28, 28), np.uint8)
    },
    r"test_images must be bytes .*these are uint8 of shape \(0, 1, 28, 28\)": {
        "test_images": np.zeros((0, 1, 28, 28), np.uint8)
    },
    "train_labels must be whole numbers; these are float64": {"train_labels": np.arange(3.0)},
    "3 images need as many int64 labels": {"train_labels": np.arange(4)},
    "labels run from 0 to 10, but there are 10 classes": {"train_labels": np.array([0, 10, 5])},
    "labels run from -1 to 2": {"test_labels": np.array([-1, 2])},
    "classes must be a list of names; these are int64": {"classes": np.arange(10)},
    "Object arrays cannot be loaded": {"classes": np.array(["a", 1], dtype=object)},
}


@pytest.mark.parametrize(
    ("words", "change"), WRONG_ARRAYS.items(), ids=lambda value: "" if type(value) is dict else value
)
def test_wrong_arrays_are_named(words, change, cached, tmp_path, monkeypatch):
    write(tmp_path / "mnist.npz", arrays_for(**change))
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"mnist.npz cannot be used: {words}"):
        datasets.mnist()


def test_a_part_of_a_full_set_is_not_taken_for_the_whole(cached, tmp_path, monkeypatch):
    counts = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
    assert {name: source.training for name, source in WHOLE.items()} == counts
    monkeypatch.setattr(datasets, "SOURCES", WHOLE)
    write(tmp_path / "mnist.npz", arrays_for())
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mnist.npz cannot be used: it holds 3 training images, not 60,000\. Replace"):
        datasets.mnist()


def test_a_folder_in_the_file_s_place_is_named(cached, tmp_path, monkeypatch):
    (tmp_path / "mnist.npz").mkdir()
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mnist.npz cannot be used: it is a folder, not a file\. Replace"):
        datasets.mnist()


def foreign(path: Path) -> None:
    np.savez(path, x_train=np.zeros(3), train_labels=np.zeros(3))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[1000] ^= 255
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES = {
    foreign: "it lacks train_images, test_images, test_labels, classes",
    cut_off: "it is cut off, or no .npz",
    overwritten: "Bad CRC-32",
    emptied: "it is cut off, or no .npz",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_the_reader_is_named_and_left_alone(damage, cached, tmp_path, monkeypatch):
    path = write(tmp_path / "given" / "mnist.npz", arrays_for())
    damage(path)
    content = path.read_bytes()
    monkeypatch.setenv("CNNLIB_DATA", str(path.parent))
    write(cached / "mnist.npz", arrays_for())  # a good file in the cache does not hide it
    words = f"mnist.npz cannot be used: .*{DAMAGES[damage]}.* Replace the file, or unset CNNLIB_DATA"
    with pytest.raises(DataError, match=words):
        datasets.mnist()
    assert path.read_bytes() == content


def test_a_damaged_compressed_file_is_recognised(cached, tmp_path, monkeypatch):
    noise = np.random.RandomState(0).randint(256, size=(3, 1, 28, 28), dtype=np.uint8)
    np.savez_compressed(tmp_path / "mnist.npz", **arrays_for(train_images=noise))
    overwritten(tmp_path / "mnist.npz")
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mnist.npz cannot be used"):
        datasets.mnist()


# The network


@pytest.mark.parametrize("name", FULL)
def test_without_a_network_the_error_says_what_where_and_what_instead(name, cached, tmp_path):
    with pytest.raises(DataError) as caught:
        FULL[name]()
    said = str(caught.value)
    for words in (
        f"{name} is not here, and its download failed: ",
        f"Looked for {name}.npz in CNNLIB_DATA (not set) and {cached / name}.npz.",
        "Go on with digits() or fashion(), which need no download",
        f"set CNNLIB_DATA to a folder with {name}.npz",
    ):
        assert words in said
    assert "\n" not in said
    assert everything_in(tmp_path) == []
    assert socket.getdefaulttimeout() is None


def test_without_a_network_the_error_names_the_file_expected_in_cnnlib_data(cached, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "given"))
    with pytest.raises(DataError) as caught:
        datasets.mnist()
    assert f"Looked for {tmp_path / 'given' / 'mnist.npz'} and {cached / 'mnist.npz'}." in str(caught.value)


def test_a_download_is_cached_and_not_repeated(cached, server, monkeypatch, capfd):
    noise = np.random.RandomState(0).randint(256, size=(3, 1, 28, 28), dtype=np.uint8)
    serve_mnist(server, monkeypatch, arrays_for(train_images=noise))
    train, test = datasets.mnist()
    said = capfd.readouterr()
    assert said.out.startswith("Downloading MNIST, about 12 MB.\n")
    assert "100" in said.err  # torchvision's progress
    assert np.array_equal(train.pixels, noise)
    assert test.labels.tolist() == [0, 1]
    assert train.classes == datasets.NUMERALS
    assert everything_in(cached) == ["mnist.npz"]
    for path in server[0].iterdir():
        path.unlink()
    again, _ = datasets.mnist()
    assert np.array_equal(again.pixels, noise)
    assert capfd.readouterr() == ("", "")


def test_colour_images_keep_their_channels(cached, server, monkeypatch):
    pixels = np.random.RandomState(0).randint(256, size=(4, 3, 32, 32), dtype=np.uint8)
    serve_cifar10(server, monkeypatch, pixels, [6, 9, 9, 4])
    monkeypatch.setitem(datasets.SOURCES, "cifar10", replace(datasets.SOURCES["cifar10"], training=4))
    for train, test in (datasets.cifar10(), datasets.cifar10()):  # downloaded, then cached
        assert np.array_equal(train.pixels, pixels) and np.array_equal(test.pixels, pixels)
        assert [train.classes[label] for label in train.labels] == ["frog", "truck", "truck", "deer"]


def test_a_download_with_another_checksum_is_refused(cached, server, monkeypatch):
    serve_mnist(server, monkeypatch, arrays_for())
    changed = server[0] / "train-images-idx3-ubyte.gz"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"its download failed: .*corrupted"):
        datasets.mnist()
    assert not cached.exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_in_the_cache_is_fetched_again(damage, cached, server, monkeypatch, capsys):
    path = write(cached / "mnist.npz", arrays_for(shade=1))
    damage(path)
    serve_mnist(server, monkeypatch, arrays_for(shade=2))
    train, _ = datasets.mnist()
    assert train.pixels.unique().tolist() == [2]
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path} cannot be used: ") and DAMAGES[damage] in first
    assert first.endswith(". It is fetched again.")
    assert second.startswith("Downloading")
    assert datasets.mnist()[0].pixels.unique().tolist() == [2]
    assert capsys.readouterr().out == ""


def test_where_nothing_can_be_cached_the_data_are_used_anyway(cached, server, tmp_path, monkeypatch, capsys):
    (tmp_path / "cache").write_text("a file where the cache's folder should be", encoding="utf-8")
    serve_mnist(server, monkeypatch, arrays_for(shade=5))
    train, _ = datasets.mnist()
    assert train.pixels.unique().tolist() == [5]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"mnist could not be kept in {cached} (")
    assert last.endswith("): it will be downloaded again next time.")


def test_a_write_that_fails_midway_leaves_the_old_state(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits on the size of files here")
    path = write(tmp_path / "mnist.npz", arrays_for(shade=1))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = arrays_for(train_images=np.zeros((3000, 1, 28, 28), np.uint8))  # 2.4 MB
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            datasets._write(path, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert everything_in(tmp_path) == ["mnist.npz"]
    assert path.read_bytes() == before


def test_a_silent_connection_is_given_up():
    address = ("127.0.0.1", 0)
    with socket.create_server(address) as silent, datasets._impatient(0.1), pytest.raises(TimeoutError):
        socket.create_connection(silent.getsockname()).recv(1)
    assert socket.getdefaulttimeout() is None
