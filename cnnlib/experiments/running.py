"""What all experiments share: the size of a setting, and one training written down as a Record."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Generator, nn

from cnnlib import records
from cnnlib.analysis import summary
from cnnlib.data import Batches, Images, Normalize, Transform
from cnnlib.records import Record
from cnnlib.training import Epoch, Recipe, default_device, evaluate, first_seed, train


@dataclass(frozen=True)
class Size:
    """One setting of an experiment: where its records lie (`name`), on which data, by which recipe, how many seeds."""

    name: str
    dataset: str
    data: Callable[[], tuple[Images, Images]]
    recipe: Recipe
    seeds: int

    def load(self) -> tuple[Images, Images]:
        """Training and test part; the last data set asked for stays in memory."""
        return loaded(self.data)[:2]

    def fingerprint(self) -> str:
        """The hash of the training part."""
        return loaded(self.data)[2]


@lru_cache(maxsize=1)
def loaded(data: Callable[[], tuple[Images, Images]]) -> tuple[Images, Images, str]:
    """Training part, test part, and the hash of the first."""
    part, test = data()
    return part, test, part.fingerprint()


def train_and_record(
    model: nn.Module,
    data: tuple[Images, Images],
    size: Size,
    *,
    experiment: str,
    arm: str,
    seed: int,
    device: torch.device,
    transforms: Sequence[Transform] = (),
    each_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Record:
    """Train on the first part, read the second once, and write down what happened.

    The images are normalised by the training part, after `transforms`. `seed` fixes the order of the batches; the
    caller has used it for the weights.
    """
    part, test = (images.to(device) for images in data)
    model = model.to(device)
    steps = [*transforms, Normalize(part)]
    batches = Batches(part, size.recipe.batch_size, steps, Generator(device).manual_seed(seed))
    rows, start = [], time.perf_counter()
    for epoch in train(model, batches, size.recipe):
        rows.append({"loss": epoch.train.loss, "accuracy": epoch.train.accuracy})
        each_epoch(epoch)
    seconds = time.perf_counter() - start
    shape = next(iter(batches))[0].shape[1:]
    return Record(
        experiment=experiment,
        arm=arm,
        seed=seed,
        data=size.dataset,
        data_hash=size.fingerprint(),
        recipe=asdict(size.recipe),
        epochs=tuple(rows),
        test=asdict(evaluate(model, Batches(test, 1000, steps))),
        parameters=sum(p.numel() for p in model.parameters()),
        macs=summary(model, shape)[-1].macs,
        seconds=round(seconds, 3),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} ({platform.machine()})",
        versions={"python": platform.python_version(), "torch": torch.__version__},
        commit=records.commit(),
    )


def run_all(
    experiment: ModuleType, size: Size, arms: Iterable[str] | None = None, seeds: Iterable[int] | None = None
) -> Iterator[Record]:
    """Run arms × seeds, seed by seed, yielding each record as it is done: an interrupted cell keeps the finished ones.

    Without `arms` all of them, without `seeds` those of the size, each shifted by CNNLIB_SEED.
    """
    device = default_device()
    for seed in range(size.seeds) if seeds is None else seeds:
        for arm in experiment.ARMS if arms is None else arms:
            yield experiment.run(arm, first_seed() + seed, size, device)


def record_all(
    experiment: ModuleType,
    size: Size,
    arms: Iterable[str] | None = None,
    seeds: Iterable[int] | None = None,
    runs: Path = records.RUNS,
) -> Iterator[tuple[Record, bool]]:
    """Like `run_all`, but writes each record and skips those already written: (record, whether it was new)."""
    for seed in range(size.seeds) if seeds is None else seeds:
        for arm in experiment.ARMS if arms is None else arms:
            path = records.path_of(size.name, arm, seed, runs)
            if path.exists():
                yield records.read(path), False
            else:
                record = experiment.run(arm, seed, size, default_device())
                records.write(record, size.name, runs)
                yield record, True
