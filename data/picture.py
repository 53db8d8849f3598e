"""Draw the README's picture, `pixel-shuffle.png`, from the recorded runs: python data/picture.py."""

from pathlib import Path

from cnnlib import plots, records

PLACES = {
    "none": "as it is",
    "inside4": "inside 4×4",
    "inside7": "inside 7×7",
    "all": "all alike",
    "each": "each its own",
}
GROUPS = {
    "CNN": {f"cnn-{shuffle}": place for shuffle, place in PLACES.items()},
    "MLP": {f"mlp-{shuffle}": PLACES[shuffle] for shuffle in ("none", "all", "each")},
}


def picture() -> plots.Picture:
    """Test accuracy of both networks by how far the pixels of the digits were moved, over ten recorded runs."""
    recorded = records.read_all("pixel-shuffle")
    return plots.bands({}, recorded, GROUPS, "Test accuracy by how far the pixels were moved")


if __name__ == "__main__":
    Path(__file__).with_name("pixel-shuffle.png").write_bytes(picture().png())
    print(picture().alt)
