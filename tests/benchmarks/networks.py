"""How long our networks take beside torchvision's, with the same weights on the same images, in turns.

`make bench ARGS="networks resnet18 vgg11 pairs=3"` measures two networks three times; without names it is all of them,
without pairs nine times. Ratios are times: below 1 is faster. Afterwards ours in other formats, and DenseNet-121
checkpointed, as far as they are among the networks asked for.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from cnnlib.analysis import saved_bytes
from cnnlib.models import MODELS
from cnnlib.models.densenet import checkpointed
from cnnlib.training import default_device, mixed_precision
from cnnlib.weights import load_in_order
from tests.benchmarks.rounds import ROUNDS, ratio, rounds
from tests.models.twins import TWINS, oracle

BATCH = 16
SIZES = {"inception_v3": 299}  # pixels of the image's side, where not 224
FORMATS = ("resnet50", "densenet121", "efficientnet_b0")  # measured in channels-last and bfloat16 too


def seconds(device: torch.device, work: Callable[[], None]) -> float:
    """Seconds of one pass; on an accelerator, whose passes are short, of ten of them by ten."""
    repeats = 1 if device.type == "cpu" else 10
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return (time.perf_counter() - start) / repeats


def forward(model: nn.Module, images: Tensor) -> Callable[[], float]:
    """Seconds of a pass as in evaluation, measured at each call."""

    @torch.no_grad()
    def measured() -> float:
        model.eval()
        return seconds(images.device, lambda: model(images))

    return measured


def step(model: nn.Module, images: Tensor, bfloat16: bool = False) -> Callable[[], float]:
    """Seconds of a training step (forward, backward, SGD with momentum), measured at each call."""
    labels = torch.arange(len(images), device=images.device)
    optimizer = SGD(model.parameters(), 1e-4, momentum=0.9)

    def work() -> None:
        with mixed_precision(images.device, bfloat16):
            loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def measured() -> float:
        model.train()
        return seconds(images.device, work)

    return measured


def keep_freed_memory() -> None:
    """Let glibc keep what is freed. Else it hands memory back and fetches it again, and how often is a matter of luck:
    the same MnasNet took from 1.0 to 1.2 times as long as its twin.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        no_limit, top, mapped, none = -1, -1, -4, 0  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h
        libc.mallopt(top, no_limit)
        libc.mallopt(mapped, none)


def random_images(name: str, device: torch.device) -> Tensor:
    """A batch of noise in the network's size."""
    size = SIZES.get(name, 224)
    return torch.randn(BATCH, 3, size, size, generator=torch.Generator().manual_seed(0)).to(device)


def against_twin(name: str, device: torch.device, pairs: int) -> tuple[float, float]:
    """Print our times over torchvision's; the medians of forward pass and training step."""
    twin, model, images = oracle(name), MODELS[name](), random_images(name, device)
    load_in_order(nn.Sequential(model.features, model.classifier), twin.state_dict())
    medians, told = [], f"    {name:<16}"
    for measure in (forward, step):
        times = rounds({"ours": measure(model.to(device), images), "theirs": measure(twin.to(device), images)}, pairs)
        medians.append(median(a / b for a, b in zip(times["ours"], times["theirs"])))
        told += f"{measure.__name__} {ratio(times['ours'], times['theirs'])} of {median(times['theirs']):.3f} s   "
    print(told.rstrip(), flush=True)
    return medians[0], medians[1]


def in_other_formats(name: str, device: torch.device, pairs: int) -> None:
    """Print what a training step takes with channels last, and in bfloat16 where the device computes in it."""
    images = random_images(name, device)
    plain, last = MODELS[name]().to(device), MODELS[name]().to(device, memory_format=torch.channels_last)
    images_last = images.to(memory_format=torch.channels_last)
    ways = {"float32": step(plain, images), "channels last": step(last, images_last)}
    if computes_in_bfloat16(device):
        ways["bfloat16"] = step(plain, images, bfloat16=True)
        ways["bfloat16, channels last"] = step(last, images_last, bfloat16=True)
    times = rounds(ways, pairs)
    told = ", ".join(f"{way} {ratio(times[way], times['float32'])}" for way in list(times)[1:])
    print(f"    {name:<16}step over float32: {told}", flush=True)


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether it has instructions for it; all processors emulate it, slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def with_checkpoints(device: torch.device, pairs: int) -> None:
    """Print what checkpointing saves of DenseNet-121's memory, and what it costs in time."""
    images = random_images("densenet121", device)
    models = {"plain": MODELS["densenet121"]().to(device), "less": checkpointed(MODELS["densenet121"]().to(device))}
    plain, less = (saved_bytes(model, images) / 2**20 / BATCH for model in models.values())
    times = rounds({way: step(model, images) for way, model in models.items()}, pairs)
    print(f"    densenet121     checkpointed: {less:.1f} MiB an image, not {plain:.1f}; ", end="")
    print(f"step {ratio(times['less'], times['plain'])} of the plain one's time")


def main(*words: str) -> None:
    """Print the ratios for the networks named among the words, all if none is; `pairs=3` measures three times."""
    there = [name for name in TWINS if name in MODELS]
    options = [word for word in words if word.startswith("pairs=")]
    pairs = int(options[-1].removeprefix("pairs=")) if options else ROUNDS
    if unknown := set(words) - set(there) - set(options):
        sys.exit(f"no network {', '.join(sorted(unknown))} with a twin; there are {', '.join(there)}")
    names = [name for name in there if name in words] or there
    device = default_device()
    keep_freed_memory()
    print(
        f"networks: {BATCH} images, float32, {device}, {torch.get_num_threads()} threads; our time over torchvision's,"
    )
    print(f"median of {pairs} pairs and their range")
    medians = [against_twin(name, device, pairs) for name in names]
    for measure, values in zip(("forward", "step"), zip(*medians)):
        print(f"    {measure} over {len(names)} networks: median {median(values):.3f}, largest {max(values):.3f}")
    for name in [name for name in FORMATS if name in names]:
        in_other_formats(name, device, pairs)
    if "densenet121" in names:
        with_checkpoints(device, pairs)
