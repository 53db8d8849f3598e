"""What all experiments share: the size of a setting, and one training written down as a Record."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from cnnlib import datasets, parallel, records
from cnnlib.analysis import summary
from cnnlib.checkpoints import Checkpoint
from cnnlib.claims import mean_accuracy
from cnnlib.data import Batches, Images, Normalize, Transform
from cnnlib.records import Record, RecordError
from cnnlib.training import Epoch, Loss, Recipe, cross_entropy, default_device, evaluate, first_seed, train

DATA = {name: getattr(datasets, name) for name in ("digits", "fashion", "mnist", "fashion_mnist", "cifar10")}


def clothes(count: int, tests: int = 2000) -> tuple[Images, Images]:
    """The first so many training and test images of the embedded clothes."""
    part, test = datasets.fashion()
    return part[:count], test[:tests]


def photographs_apart(count: int) -> tuple[Images, Images]:
    """The first so many training images of CIFAR-10, at most 45,000, and 5,000 others of them to choose by."""
    part, others = datasets.cifar10()[0].split(5000)
    return part[:count], others


def nobody(*_: object) -> None:
    """Nobody is told how far a training has come."""


class Failed(RuntimeError):
    """Runs that could not be done while the others were; a line each."""


class Watcher(Protocol):
    """Who is told how far many runs have come."""

    def batch(self, arm: str, seed: int, done: int, batches: int) -> None:
        """So many batches of an epoch are done, of so many."""

    def epoch(self, arm: str, seed: int, epoch: Epoch) -> None:
        """An epoch is done, perhaps in an earlier try."""

    def failed(self, arm: str, seed: int, error: Exception) -> None:
        """A run cannot be done; the others go on."""


@dataclass(frozen=True)
class Counted:
    """The batches; `tick` is told after each how many are done, of how many."""

    batches: Batches
    tick: Callable[[int, int], None]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number, batch in enumerate(self.batches, start=1):
            yield batch
            self.tick(number, len(self))

    @property
    def generator(self) -> Generator | None:
        """What the order of the batches is drawn from."""
        return self.batches.generator


@dataclass(frozen=True)
class Size:
    """One setting of an experiment: where its records lie (`name`), on which data, by which recipe, how many seeds."""

    name: str
    dataset: str
    data: Callable[[], tuple[Images, Images]]
    recipe: Recipe
    seeds: int
    without: tuple[str, ...] = ()  # arms that these data are not for
    threads: int | None = None  # of the processor; None leaves them to torch
    folder: Path | None = None  # where a run leaves its state after each epoch, to go on from when it was stopped
    watch: Callable[[Epoch], None] = nobody  # told of each epoch
    tick: Callable[[int, int], None] = nobody  # told of each batch: how many are done, of how many

    def changed(
        self,
        data: str | None = None,
        epochs: int | None = None,
        rate: float | None = None,
        bfloat16: bool = False,
        seeds: int | None = None,
    ) -> "Size":
        """The same with what is given put in its place, under a name that says so. `data` is a name in DATA; `rate`
        multiplies the learning rate.
        """
        size = self if seeds is None else replace(self, seeds=seeds)
        if data not in (None, size.dataset):
            size = replace(size, name=f"{size.name}-{data.replace('_', '-')}", dataset=data, data=DATA[data])
        if epochs not in (None, size.recipe.epochs):
            size = replace(size, name=f"{size.name}-{epochs}-epochs", recipe=replace(size.recipe, epochs=epochs))
        if rate not in (None, 1):
            recipe = replace(size.recipe, learning_rate=rate * size.recipe.learning_rate)
            size = replace(size, name=f"{size.name}-rate-{rate:g}", recipe=recipe)
        if bfloat16 and not size.recipe.bfloat16:
            size = replace(size, name=f"{size.name}-bfloat16", recipe=replace(size.recipe, bfloat16=True))
        return size

    def load(self) -> tuple[Images, Images]:
        """Training and test part; the last data set asked for stays in memory."""
        return loaded(self.data)[:2]

    def fingerprint(self) -> str:
        """The hash of the training part."""
        return loaded(self.data)[2]


def sizes(experiment: ModuleType) -> dict[str, Size]:
    """The experiment's settings by name in small letters: live, full, and perhaps more."""
    return {name.lower(): size for name, size in vars(experiment).items() if isinstance(size, Size)}


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


def name_of(device: torch.device) -> str:
    """What computes: an NVIDIA GPU's name; a processor's, with the threads in use, on which the seconds depend."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return f"{device.type} ({platform.machine()})"
    threads = torch.get_num_threads()
    name = getattr(torch.cpu, "get_capabilities", dict)().get("cpu_name") or platform.machine()
    return f"cpu ({name}, {threads} thread{'s' if threads > 1 else ''})"


def at_rate(model: nn.Module, rate: float) -> None:
    """From now on train the model at `rate` times the recipe's rate: to SGD a larger gradient is a larger step."""
    for weight in model.parameters():
        weight.register_hook(partial(torch.mul, rate))


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
    augment: Sequence[Transform] = (),
    loss: Loss = cross_entropy,
) -> Record:
    """Train on the first part, read the second once, and write down what happened.

    The images go through `transforms`, in training through `augment` too, then they are normalised by the training
    part. `seed` fixes the order of the batches; the caller has used it for the weights. Where the size has a folder, a
    run that was stopped goes on after its last finished epoch.
    """
    part, test = (images.to(device) for images in data)
    model = model.to(device)
    normalize = Normalize(part)
    batches = Batches(
        part, size.recipe.batch_size, [*transforms, *augment, normalize], Generator(device).manual_seed(seed)
    )
    tests = Batches(test, 1000, [*transforms, normalize])
    checkpoint, rows, seconds = checkpoint_of(size, arm, seed), [], 0.0
    with processor_threads(size.threads):
        for epoch in train(model, Counted(batches, size.tick), size.recipe, loss=loss, checkpoint=checkpoint):
            rows.append({"loss": epoch.train.loss, "accuracy": epoch.train.accuracy})
            seconds += epoch.seconds
            size.watch(epoch)
        tested, machine = evaluate(model, tests), name_of(device)
    shape = next(iter(tests))[0].shape[1:]
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
        device=machine,
        versions={"python": platform.python_version(), "torch": str(torch.__version__)},
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
        for arm in arms_of(experiment, size) if arms is None else arms:
            yield experiment.run(arm, first_seed() + seed, size, device)


def arms_of(experiment: ModuleType, size: Size) -> list[str]:
    """The experiment's arms but those that the size leaves out."""
    return [arm for arm in experiment.ARMS if arm not in size.without]


def checkpoint_of(size: Size, arm: str, seed: int) -> Checkpoint | None:
    """Where the run's state is kept while it is unfinished; None for a size without a folder."""
    if size.folder is None:
        return None
    about = {
        "arm": arm,
        "seed": seed,
        "data": size.fingerprint(),
        "torch": str(torch.__version__),
        **asdict(size.recipe),
    }
    return Checkpoint(size.folder / f".{arm}-{seed}.unfinished", about)


def record_all(
    experiment: ModuleType,
    size: Size,
    arms: Iterable[str] | None = None,
    seeds: Iterable[int] | None = None,
    runs: Path = records.RUNS,
    watch: Watcher | None = None,
) -> Iterator[tuple[Record, bool]]:
    """Like `run_all`, but writes each record and skips those already written: (record, whether it was new).

    A run that was stopped, even killed, goes on after its last finished epoch. CNNLIB_SEED does not shift these seeds.
    `watch` is told of each batch and of each epoch, also of those that an earlier try had finished.
    Raises RecordError, before the first run, for a record that was made by another recipe or on other data, were it
    another copy of the same name; Failed, after the last, for runs that diverged or that the data are not for.
    """
    arms = arms_of(experiment, size) if arms is None else list(dict.fromkeys(arms))
    paths = [
        (arm, seed, records.path_of(size.name, arm, seed, runs))
        for seed in (range(size.seeds) if seeds is None else seeds)
        for arm in arms
    ]
    size = replace(size, folder=runs / size.name)
    # What is broken or missing is missed here, not after hours of other runs.
    there = {path: read_same(path, experiment, size) for _, _, path in paths if path.exists()}
    if len(there) < len(paths):
        size.load()
        same_images(records.read_all(size.name, runs), size)
        if parallel.first():
            records.writable(size.folder)
    failures, device = [], default_device()
    for arm, seed, path in paths:
        if parallel.agreed(path.exists()):
            yield there.get(path) or read_same(path, experiment, size), False
            continue
        watched = size
        if watch:
            watched = replace(size, watch=partial(watch.epoch, arm, seed), tick=partial(watch.batch, arm, seed))
        try:
            record = experiment.run(arm, seed, watched, device)
        except RecordError:
            raise
        except (ValueError, ArithmeticError) as error:  # what a setting cannot do, or a loss that is no number
            failures.append(f"{arm}, seed {seed}: {error}")
            if watch:
                watch.failed(arm, seed, error)
            continue
        if parallel.first():
            records.write(record, size.name, runs)
            checkpoint_of(size, arm, seed).remove()
        yield record, True
    if failures:
        raise Failed("\n".join(failures))


def tried(size: Size, rates: Iterable[float], runs: Path = records.RUNS) -> dict[str, dict[float, list[Record]]]:
    """The recorded runs of a size at multiples of its learning rate (`--rate`): by arm, then by rate."""
    found: dict[str, dict[float, list[Record]]] = {}
    for rate in rates:
        for arm, of_arm in records.read_all(size.changed(rate=rate).name, runs).items():
            found.setdefault(arm, {})[rate] = of_arm
    return found


def at_best_rates(
    size: Size, choice: Size, rates: Sequence[float], runs: Path = records.RUNS
) -> dict[str, list[Record]]:
    """The recorded runs of a size, each arm at the rate that reads most images in its runs of `choice`.

    Arms that are recorded at another rate only are left out.
    """
    there, chosen = tried(size, rates, runs), {}
    for arm, by_rate in tried(choice, rates, runs).items():
        best = max(by_rate, key=lambda rate: mean_accuracy(by_rate[rate]))
        if best in there.get(arm, {}):
            chosen[arm] = there[arm][best]
    return chosen


def same_images(there: Mapping[str, Sequence[Record]], size: Size) -> None:
    """Raises RecordError if one of the records was made on other images than the size has on this machine."""
    others = {record.data_hash for of_arm in there.values() for record in of_arm} - {size.fingerprint()}
    if others:
        raise RecordError(
            f"The runs recorded in {size.name} were made on another copy of {size.dataset} than yours: its training "
            f"part has the hash {min(others)}, yours {size.fingerprint()}. Keep your runs apart: say --folder."
        )


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
