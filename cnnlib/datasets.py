"""Data sets as (train, test), two `Images`: embedded in the repository, or full, from a folder, cache or network.

On disk a data set is one .npz with train_images, train_labels, test_images, test_labels and classes. A full one is
looked for in the folder that CNNLIB_DATA names, then in the cache; else torchvision downloads it, and it is cached.
"""

import contextlib
import os
import socket
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch

from cnnlib.data import Images
from cnnlib.records import replacing
from cnnlib.vision import torchvision

EMBEDDED = Path(__file__).parent.parent / "data" / "images"
KEYS = ("train_images", "train_labels", "test_images", "test_labels", "classes")

Parts = tuple[Images, Images]
Shape = tuple[int, int, int]


class DataError(RuntimeError):
    """A data set is missing or broken; the message says which file, and what to do."""


@dataclass(frozen=True)
class Source:
    """A full data set: its name in torchvision.datasets, an image's C×H×W, how many there are to train on, the classes,
    the megabytes to download.
    """

    dataset: str
    shape: Shape
    training: int
    classes: tuple[str, ...]
    megabytes: int


NUMERALS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SOURCES = {
    "mnist": Source("MNIST", (1, 28, 28), 60_000, NUMERALS, 12),
    "fashion_mnist": Source("FashionMNIST", (1, 28, 28), 60_000, CLOTHES, 31),
    "cifar10": Source("CIFAR10", (3, 32, 32), 50_000, THINGS, 170),
}


@cache
def digits() -> Parts:
    """The first 10,000 MNIST training digits, 1×28×28: 8,000 to train and 2,000 to test. Embedded, read once."""
    return _embedded("digits")


@cache
def fashion() -> Parts:
    """10,000 + 2,000 images of Fashion-MNIST, 1×28×28: 1,000 + 200 of each class. Embedded, read once."""
    return _embedded("fashion")


def mnist() -> Parts:
    """MNIST, 60,000 + 10,000 images of 1×28×28. Raises DataError where it is neither found nor downloaded."""
    return _full("mnist")


def fashion_mnist() -> Parts:
    """Fashion-MNIST, 60,000 + 10,000 images of 1×28×28. Raises DataError where it is neither found nor downloaded."""
    return _full("fashion_mnist")


def cifar10() -> Parts:
    """CIFAR-10, 50,000 + 10,000 images of 3×32×32. Raises DataError where it is neither found nor downloaded."""
    return _full("cifar10")


def cache_folder() -> Path:
    """Where downloaded data sets are kept: cnnlib in $XDG_CACHE_HOME or ~/.cache; on Windows in %LOCALAPPDATA%."""
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "cnnlib"


def _embedded(name: str) -> Parts:
    path = EMBEDDED / f"{name}.npz"
    if not path.is_file():
        cure = "clone the repository and install the package from there with `pip install -e .`"
        raise DataError(f"{path} is missing. The embedded data come with the repository only: {cure}.")
    try:
        return _read(path, (1, 28, 28))
    except DataError as error:
        raise DataError(f"{error} Restore it with `git checkout -- data/images`.") from error


def _full(name: str) -> Parts:
    source = SOURCES[name]
    given, cached = _given(name), cache_folder() / f"{name}.npz"
    if given and os.path.exists(given):
        try:
            return _read(given, source.shape, source.training)
        except DataError as error:
            raise DataError(f"{error} Replace the file, or unset CNNLIB_DATA to use a download.") from error
    if os.path.exists(cached):
        try:
            return _read(cached, source.shape, source.training)
        except DataError as error:
            print(f"{error} It is fetched again.")
    looked = f"Looked for {given or f'{name}.npz in CNNLIB_DATA (not set)'} and {cached}."
    arrays = _fetch(name, source, looked)
    try:
        _write(cached, arrays)
    except OSError as error:
        reason = error.__cause__.strerror or error.__cause__
        print(f"{name} could not be kept in {cached.parent} ({reason}): it will be downloaded again next time.")
    return _parts(arrays, source.shape)


def _given(name: str) -> Path | None:
    folder = os.environ.get("CNNLIB_DATA")
    return Path(folder).expanduser() / f"{name}.npz" if folder else None


def _read(path: Path, shape: Shape, training: int | None = None) -> Parts:
    """Both parts from one file, with `training` images to train on, or a DataError that says what is wrong with it."""
    try:
        if path.is_dir():
            raise ValueError("it is a folder, not a file")
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is cut off, or no .npz")
        with np.load(path, allow_pickle=False) as arrays:
            if missing := [key for key in KEYS if key not in arrays]:
                raise ValueError(f"it lacks {', '.join(missing)}")
            parts = _parts({key: arrays[key] for key in KEYS}, shape)
        if training not in (None, len(parts[0])):
            raise ValueError(f"it holds {len(parts[0]):,} training images, not {training:,}")
        return parts
    except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be used: {error}.") from error


def _parts(arrays: dict[str, np.ndarray], shape: Shape) -> Parts:
    """Both parts as Images; a ValueError says which array is of the wrong kind."""
    classes = arrays["classes"]
    if classes.ndim != 1 or classes.dtype.kind != "U":
        raise ValueError(f"classes must be a list of names; these are {classes.dtype} of shape {classes.shape}")
    parts = []
    for part in ("train", "test"):
        pixels, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        if pixels.dtype != np.uint8 or pixels.shape[1:] != shape or not len(pixels):
            wanted = "×".join(map(str, shape))
            got = f"{pixels.dtype} of shape {pixels.shape}"
            raise ValueError(f"{part}_images must be bytes (uint8) of shape N×{wanted}; these are {got}")
        if labels.dtype.kind not in "iu":
            raise ValueError(f"{part}_labels must be whole numbers; these are {labels.dtype}")
        labels = torch.from_numpy(labels.astype(np.int64))
        parts.append(Images(torch.from_numpy(pixels), labels, tuple(map(str, classes))))
    return parts[0], parts[1]


def _fetch(name: str, source: Source, looked: str) -> dict[str, np.ndarray]:
    """The downloaded arrays, or a DataError that also says where they were looked for before."""
    try:
        return _download(source)
    except (OSError, RuntimeError, ImportError, HTTPException) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        cure = "Go on with digits() or fashion(), which need no download,"
        cure += f" or set CNNLIB_DATA to a folder with {name}.npz (data/README.md says how to make one)."
        raise DataError(f"{name} is not here, and its download failed: {reason}. {looked} {cure}") from error


def _download(source: Source) -> dict[str, np.ndarray]:
    """The arrays of the data set, downloaded by torchvision, which draws the progress and compares the checksums."""
    print(f"Downloading {source.dataset}, about {source.megabytes} MB.")
    dataset = getattr(torchvision().datasets, source.dataset)
    arrays = {"classes": np.array(source.classes)}
    with tempfile.TemporaryDirectory() as folder, _impatient():
        for part in ("train", "test"):
            loaded = dataset(folder, train=part == "train", download=True)
            pixels = np.asarray(loaded.data)  # N×H×W, or N×H×W×3
            pixels = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
            arrays[f"{part}_images"] = np.ascontiguousarray(pixels)
            arrays[f"{part}_labels"] = np.asarray(loaded.targets, np.uint8)
    return arrays


@contextlib.contextmanager
def _impatient(seconds: float = 15) -> Iterator[None]:
    """Inside, a connection that is silent for so long is given up: torchvision itself would wait for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write one npz, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
