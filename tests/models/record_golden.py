"""Golden numbers: four logits of every network, filled by sines, with its parameters and multiply-adds.

    python -m tests.models.record_golden

writes golden.json: from torchvision's network where there is a twin, else from ours, once it passes the tests that
compare it with its paper. A sine comes from no generator, so no release of torch changes it.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlib.models import MODELS
from tests.models.twins import PERIOD, SIZES, TWINS, cyclic, fill, one_thread, oracle

GOLDEN = Path(__file__).parent / "golden.json"
SHAPES = {
    "cnn": (1, 28, 28),
    "mlp": (1, 28, 28),
    "lenet": (1, 32, 32),
    "lenet5": (1, 32, 32),
    "alexnet_2012": (3, 224, 224),
    "nin": (3, 96, 96),
    "zfnet": (3, 224, 224),
}  # of one image; 3×32×32 for nets named …_cifar, 3×64×64 or what SIZES says for all others


def shape_of(name: str) -> tuple[int, int, int]:
    side = 32 if name.endswith("_cifar") else SIZES.get(name, 64)
    return SHAPES.get(name, (3, side, side))


def built(name: str, twin: bool) -> nn.Module:
    """torchvision's network or ours. One with a twin has no numbers of its own, so it need not be initialised."""
    if name not in TWINS:
        return MODELS[name]()
    with torch.device("meta"):
        model = oracle(name) if twin else MODELS[name]()
    return model.to_empty(device="cpu")


def sines() -> torch.Tensor:
    """One period of sin(2πi²/p). The square makes the rows of a matrix independent; of sin(i) two would span all."""
    index = torch.arange(PERIOD)
    return (math.sqrt(2) * torch.sin(2 * math.pi / PERIOD * (index**2 % PERIOD).double())).float()


@one_thread()
def measured(name: str, twin: bool = False) -> dict:
    """The numbers of one network, and the image's shape they are for."""
    model, shape, noise = built(name, twin), shape_of(name), cyclic(sines())
    with FlopCounterMode(display=False) as counter:
        logits = fill(model, noise(math.prod(shape)).reshape(1, *shape), noise)
    return {
        "image": list(shape),
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": counter.get_total_flops() // 2,
        "logits": logits[0, :4].tolist(),
    }


def main() -> None:
    lines = []
    for name in sorted(MODELS):
        numbers = {"from": "torchvision" if name in TWINS else "cnnlib", **measured(name, twin=name in TWINS)}
        lines.append(f"  {json.dumps(name)}: {json.dumps(numbers)}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
