"""The command line: python -m cnnlib COMMAND. Rooms are loaded only by the command that needs them."""

import argparse
import os
import sys
from pathlib import Path
from statistics import mean, stdev
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnlib.experiments.running import Size

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"  # as in publish.pairs, which takes a second to import
BUILD = CHAPTERS.parent / "build"
DECKS = BUILD / "slides"
SITE = BUILD / "site"


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, run the command, return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console of another encoding cannot print × and ✓
            stream.reconfigure(encoding="utf-8", errors="replace")
    options = parser().parse_args(arguments)
    try:
        code = options.command(options) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `| head` has read enough; what is left must not fail again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept", file=sys.stderr)
        return 130
    except (ValueError, ArithmeticError, RuntimeError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def positive(text: str) -> int:
    """The number an option gives; argparse prints the refusal."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 upwards")
    return int(text)


def above_zero(text: str) -> float:
    """The factor an option gives; argparse prints the refusal."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    main_parser = argparse.ArgumentParser(prog="python -m cnnlib", description=__doc__)
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(function.__name__, help=summary, description=summary)
        added.set_defaults(command=function)
        return added

    command(doctor, "say whether everything is here that the course needs, and what to do where it is not")
    one = command(run, "run an experiment and record every run; finished runs are skipped, stopped ones go on")
    one.add_argument("experiment", nargs="?", help="its name; without it, the experiments are listed")
    one.add_argument("--list", action="store_true", help="list experiments, arms and sizes, and what is recorded")
    one.add_argument("--size", metavar="SIZE", help="live (the default), full, or another that --list shows")
    one.add_argument("--full", action="store_const", dest="size", const="full", help="the same as --size full")
    one.add_argument("--arms", nargs="+", metavar="ARM", help="only these arms")
    one.add_argument("--seeds", type=positive, metavar="N", help="seeds 0 to N-1 (default: the size's own)")
    one.add_argument("--epochs", type=positive, metavar="N", help="so many epochs (default: the size's own)")
    one.add_argument("--rate", type=above_zero, metavar="X", help="X times the size's learning rate")
    one.add_argument("--data", help="digits, fashion, mnist, fashion_mnist or cifar10 (default: the size's own)")
    one.add_argument("--device", help="cpu, cuda or mps (default: an accelerator, where there is one)")
    one.add_argument("--precision", choices=("float32", "bfloat16"), help="bfloat16: mixed precision")
    one.add_argument("--folder", type=Path, help="where the records lie (default: data/runs)")
    one = command(results, "recorded runs as a table: mean, spread and number by arm")
    one.add_argument("names", nargs="*", help="names of recorded settings (default: all)")
    one.add_argument("--folder", type=Path, help="where the records lie (default: data/runs)")
    one = command(check, "run chapters again with other seeds; every claim must hold, every exact output be the same")
    one.add_argument("chapters", nargs="*", help="numbers or names (default: all)")
    one.add_argument("--seeds", type=positive, metavar="N", help="how many different seeds (default: 1)")
    one.add_argument("--threads", type=positive, metavar="N", help="threads for torch")
    one.add_argument("--device", help="cpu, cuda or mps")
    one.add_argument("--sabotage", action="store_true", help="break the experiments on purpose: claims must turn")
    one = command(sync, "run the chapters whose source changed and write their notebooks")
    one.add_argument("chapters", nargs="*", help="numbers or names (default: all)")
    one.add_argument("--force", action="store_true", help="also those that are in step")
    command(lint, "say what breaks the rules for chapters")
    one = command(slides, "make decks of the committed chapters")
    one.add_argument("chapters", nargs="*", help="numbers or names (default: all)")
    one.add_argument("--folder", type=Path, default=DECKS, help="where to (default: build/slides)")
    one = command(site, "make the site of the committed chapters: pages with a search, to open from disk or to serve")
    one.add_argument("--folder", type=Path, default=SITE, help="where to (default: build/site)")
    one = command(copy, "write the students' copies (not run, no solutions) or the instructors' (notes in sight)")
    one.add_argument("reader", choices=("student", "instructor"))
    one.add_argument("chapters", nargs="*", help="numbers or names (default: all)")
    one.add_argument("--folder", type=Path, help="where to (default: build/READER)")
    return main_parser


def doctor(options: argparse.Namespace) -> int:
    """Look at Python, packages, machine, data and Jupyter."""
    from cnnlib.publish.doctor import checkup, report

    findings = checkup()
    print(report(findings))
    return int(any(finding.fine is False for finding in findings))


def run(options: argparse.Namespace) -> int | None:
    """Run the arms and seeds that have no record yet."""
    from cnnlib.experiments import EXPERIMENTS
    from cnnlib.experiments.running import sizes

    if options.experiment is None or options.list:
        return list_experiments([options.experiment] if options.experiment else list(EXPERIMENTS), options.folder)
    experiment = experiment_called(options.experiment)
    if unknown := set(options.arms or ()) - set(experiment.ARMS):
        raise ValueError(f"no arm {', '.join(sorted(unknown))}; the arms are {', '.join(experiment.ARMS)}")
    there = sizes(experiment)
    if (name := options.size or "live") not in there:
        raise ValueError(f"{options.experiment} has no size {name}; there are: {', '.join(there)}")
    size = changed(there[name], options)
    if options.device:
        os.environ["CNNLIB_DEVICE"] = options.device
    return record_runs(experiment, size, options)


def experiment_called(name: str) -> ModuleType:
    """The experiment; ValueError with the names there are for one that is not among them."""
    from cnnlib.experiments import EXPERIMENTS

    if name not in EXPERIMENTS:
        raise ValueError(f"no experiment is called {name}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def changed(size: "Size", options: argparse.Namespace) -> "Size":
    """The size as the options change it."""
    from cnnlib.experiments.running import DATA

    if options.data not in (None, *DATA):
        raise ValueError(f"no data are called {options.data}; there are: {', '.join(DATA)}")
    return size.changed(options.data, options.epochs, options.rate, options.precision == "bfloat16", options.seeds)


def record_runs(experiment: ModuleType, size: "Size", options: argparse.Namespace) -> int | None:
    """Record what is missing, telling how far it is."""
    from cnnlib import parallel, records
    from cnnlib.course.progress import Meter
    from cnnlib.experiments.running import Failed, arms_of, record_all, sizes

    folder, seeds = options.folder or records.RUNS, range(size.seeds)
    arms = options.arms or arms_of(experiment, size)
    new = there = 0
    with parallel.group():
        meter = Meter([(arm, seed) for arm in arms for seed in seeds], size.recipe.epochs) if parallel.first() else None
        try:
            for record, fresh in record_all(experiment, size, arms, seeds, folder, meter):
                new, there = new + fresh, there + (not fresh)
                if meter:
                    meter.run(record, fresh)
        except KeyboardInterrupt:
            if parallel.first():
                print("\nstopped: the same command goes on after the last finished epoch", file=sys.stderr)
            return 130
        except Failed as error:
            meant = ", ".join(dict.fromkeys(own.dataset for own in sizes(experiment).values()))
            advice = f"\n{options.experiment} may not be made for {options.data}; its sizes use {meant}."
            raise Failed(f"{error}{advice if options.data else ''}") from error
    if meter:
        where = folder / size.name if options.folder else f"data/runs/{size.name}"
        print(f"{new + there} runs in {where}: {new} new, {there} were there already")
    return None


def list_experiments(names: list[str], folder: Path | None = None) -> None:
    """Print what there is to run, and what is recorded in the folder."""
    from cnnlib.experiments.running import sizes
    from cnnlib.records import RUNS

    for name in names:
        experiment = experiment_called(name)
        print(f"{name}: {experiment.__doc__.splitlines()[0]}\n    arms: {', '.join(experiment.ARMS)}")
        for word, size in sizes(experiment).items():
            recorded = len(list(((folder or RUNS) / size.name).glob("*.json")))
            print(
                f"    size {word}: {size.dataset}, {size.recipe.epochs} epochs, {size.seeds} seeds; "
                f"{recorded or 'no'} runs in {size.name}"
            )


def results(options: argparse.Namespace) -> None:
    """Print what is recorded."""
    from cnnlib.records import RUNS, read_all

    runs = options.folder or RUNS
    names = options.names or sorted({path.parent.name for path in runs.glob("*/[!.]*.json")})
    if not names:
        raise ValueError("no runs are recorded yet; python -m cnnlib run says which experiments there are")
    for name in names:
        arms = read_all(name, runs)
        if not arms:
            raise ValueError(f"no runs recorded as {name}; python -m cnnlib run says which experiments there are")
        print(f"{name}\n{'arm':<16}{'runs':>5}{'mean':>8}{'sd':>7}{'min':>8}{'max':>8}{'seconds':>9}")
        for arm, records in arms.items():
            values = [100 * record.accuracy for record in records]
            spread = stdev(values) if len(values) > 1 else 0.0
            print(
                f"{arm:<16}{len(values):>5}{mean(values):>7.1f}%{spread:>7.2f}{min(values):>7.1f}%{max(values):>7.1f}%"
                f"{mean(record.seconds for record in records):>9.1f}"
            )


def check(options: argparse.Namespace) -> int:
    """Run chapters with other seeds, or under sabotage."""
    if options.sabotage:
        if (options.seeds, options.threads, options.device) != (None, None, None):
            raise ValueError("--sabotage sets its own seeds and device: leave out --seeds, --threads and --device")
        from cnnlib.publish.sabotage import check_sabotage

        return check_sabotage(options.chapters)
    from cnnlib.publish.check import check as check_chapters

    seeds = 1 if options.seeds is None else options.seeds
    return min(check_chapters(options.chapters, seeds, options.threads, options.device), 1)


def sync(options: argparse.Namespace) -> None:
    """Bring notebooks in step with their sources."""
    from cnnlib.publish.pairs import sync as sync_pairs

    sync_pairs(options.chapters, options.force)


def lint(options: argparse.Namespace) -> int:
    """Print the problems of all chapters."""
    from cnnlib.publish.lint import problems

    found = [problem for notebook in sorted(CHAPTERS.glob("*.ipynb")) for problem in problems(notebook)]
    print("\n".join(found) or "chapters: nothing to mend")
    return int(bool(found))


def slides(options: argparse.Namespace) -> None:
    """Write one self-contained page a chapter."""
    from cnnlib.publish.pairs import sources
    from cnnlib.publish.slides import build_decks

    build_decks([source.with_suffix(".ipynb") for source in sources(options.chapters)], options.folder)


def site(options: argparse.Namespace) -> None:
    """Write one page a chapter, and a search over all of them."""
    try:
        from cnnlib.publish.site import build_site
    except ModuleNotFoundError as error:
        raise ValueError(f"the package {error.name} is missing; run `python -m pip install -e .` here") from error

    build_site(sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb")), options.folder)


def copy(options: argparse.Namespace) -> None:
    """Write one notebook a chapter, made from the committed one."""
    from cnnlib.publish.copies import write_copies
    from cnnlib.publish.pairs import sources

    notebooks = [source.with_suffix(".ipynb") for source in sources(options.chapters)]
    write_copies(options.reader, notebooks, options.folder or BUILD / options.reader)


if __name__ == "__main__":
    sys.exit(main())
