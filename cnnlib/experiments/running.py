"""What all experiments share: the size of a setting, and one training written down as a Record."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Generator, nn

from cnnlib import records
from cnnlib.analysis import summary
from cnnlib.data import Batches, Images, Normalize, Transform
from cnnlib.records import Record, RecordError
from cnnlib.training import Loss, Recipe, cross_entropy, default_device, evaluate, first_seed, train


@dataclass(frozen=True)
class Size:
    """One setting of an experiment: where its records lie (`name`), on which data, by which recipe, how many seeds."""

    name: str
    dataset: str
    data: Callable[[], tuple[Images, Images]]
    recipe: Recipe
    seeds: int
    threads: int | None = None  # of the processor; None leaves them to torch

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


@contextmanager
def processor_threads(count: int | None) -> Iterator[None]:
    """Inside, torch uses so many threads. Small nets want one: several wait for each other when the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    loss: Loss = cross_entropy,
) -> Record:
    """Train on the first part, read the second once, and write down what happened.

    The images go through `transforms`, then they are normalised by the training part. `seed` fixes the order of the
    batches; the caller has used it for the weights.
    """
    part, test = (images.to(device) for images in data)
    model = model.to(device)
    steps = [*transforms, Normalize(part)]
    batches = Batches(part, size.recipe.batch_size, steps, Generator(device).manual_seed(seed))
    rows, start = [], time.perf_counter()
    with processor_threads(size.threads):
        for epoch in train(model, batches, size.recipe, loss=loss):
            rows.append({"loss": epoch.train.loss, "accuracy": epoch.train.accuracy})
        seconds = time.perf_counter() - start
        tested = evaluate(model, Batches(test, 1000, steps))
    shape = next(iter(batches))[0].shape[1:]
    return Record(
        experiment=experiment,
        arm=arm,
        seed=seed,
        data=size.dataset,
        data_hash=size.fingerprint(),
        recipe=asdict(size.recipe),
        epochs=tuple(rows),
        test=asdict(tested),
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
    """Like `run_all`, but writes each record and skips those already written: (record, whether it was new).

    CNNLIB_SEED does not shift these. Raises RecordError for a record that was made by another recipe or on other data.
    """
    arms = list(experiment.ARMS if arms is None else arms)
    paths = [
        (arm, seed, records.path_of(size.name, arm, seed, runs))
        for seed in (range(size.seeds) if seeds is None else seeds)
        for arm in arms
    ]
    if not all(path.exists() for _, _, path in paths):
        size.load()  # data that are missing are missed here, not after hours of other runs
    for arm, seed, path in paths:
        if path.exists():
            yield read_same(path, experiment, size), False
        else:
            record = experiment.run(arm, seed, size, default_device())
            records.write(record, size.name, runs)
            yield record, True


def read_same(path: Path, experiment: ModuleType, size: Size) -> Record:
    """Read a record. Raises RecordError if the setting has another experiment, data set or recipe by now."""
    record = records.read(path)
    name = experiment.__name__.rpartition(".")[2].replace("_", "-")
    if (record.experiment, record.data, record.recipe) != (name, size.dataset, asdict(size.recipe)):
        raise RecordError(
            f"{path} was made by another recipe or on other data than {size.name} has now: delete it, or give the "
            "setting another name."
        )
    return record
