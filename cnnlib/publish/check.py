"""Do a chapter's claims hold with other seeds, threads or devices? Each run is compared with the committed notebook."""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnnlib.publish.pairs import CHAPTERS, WIDGET_VIEW, ChapterError, execute, first_line, read, sources, stale

SEED_STEP = 100  # more than any experiment has seeds: no two runs share one
VERDICTS = ("✓", "✗", "holds:", "does not hold:", "it depends:")
NOT_COMPARED = ("image/png", "image/jpeg", WIDGET_VIEW)  # as nbval does


@dataclass(frozen=True)
class Run:
    """What one run of a chapter showed: how many claims and verdicts it has, and what went differently."""

    claims: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(self.problems) or f"all {self.claims} claims hold"


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def shown(cell: NotebookNode) -> list:
    """What a code cell's outputs say, pictures and live widgets apart: streams by name, then the rest in order."""
    streams: dict[str, str] = {}
    others: list = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + output.text
        elif output.output_type == "error":
            others.append((output.ename, output.evalue))
        else:
            others.append({mime: value for mime, value in output.data.items() if mime not in NOT_COMPARED})
    return [streams, *others]


def printed(cell: NotebookNode) -> str:
    """The text a code cell shows: what it printed, and the text of what it displayed."""
    outputs = cell.get("outputs", [])
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def judged(cell: NotebookNode) -> list[str]:
    """The lines of a claim cell's output that say whether something holds."""
    return [line for line in printed(cell).splitlines() if line.startswith(VERDICTS)]


def compare(ran: NotebookNode, committed: NotebookNode) -> Run:
    """Compare a run's claim cells and exact cells with those of the committed notebook, which has the same cells."""
    claims, problems, errors = 0, [], []
    for number, (new, old) in enumerate(zip(ran.cells, committed.cells, strict=True), start=1):
        if new.cell_type != "code":
            continue
        failed = [output for output in new.outputs if output.output_type == "error"]
        where = f"cell {number} ({first_line(new)})"
        if failed and "raises-exception" not in tags(new):
            reason = next(iter(failed[0].evalue.splitlines()), "")
            errors.append(f"{where} stopped with {failed[0].ename}: {reason}")
        elif "claim" in tags(new):
            claims += len(judged(new))
            problems += [line for line in judged(new) if line not in judged(old) or line.startswith("✗")]
        elif "nbval-ignore-output" not in tags(new) and shown(new) != shown(old):
            problems.append(f"{where} is exact but shows something else")
    if len(errors) > 1:
        errors[1:] = [f"and {len(errors) - 1} cells after it"]
    return Run(claims, (*errors, *problems))


def run_once(source: Path, seed: int, threads: int | None, device: str | None) -> tuple[float, Run]:
    """Run a copy of the chapter in a temporary folder with its seeds shifted; its seconds and what it showed."""
    if stale(source):
        number = source.stem.partition("_")[0]
        reason = f"the notebook is not in step with its source: run `python -m cnnlib sync {number}` first"
        return 0, Run(0, (reason,))
    committed = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    with tempfile.TemporaryDirectory(prefix="cnnlib-check-") as folder:
        notebook = read(Path(shutil.copy(source, folder)))
        try:
            seconds = execute(notebook, Path(folder), seed=seed, threads=threads, device=device, allow_errors=True)
        except ChapterError as error:
            return 0, Run(0, (str(error),))
    return seconds, compare(notebook, committed)


def check(
    names: Iterable[str],
    seeds: int = 1,
    threads: int | None = None,
    device: str | None = None,
    out: Callable[[str], None] = print,
    folder: Path = CHAPTERS,
) -> int:
    """Run the chapters `names` (all of them without) once for each of `seeds` shifts of their seeds: 0, 100, 200 ...

    Says a line a run: chapter, seed, seconds, and either that all claims hold or what went differently from the
    committed notebook. Returns the number of runs in which something did. A KeyboardInterrupt ends the kernel, says
    which runs are done and goes on to the caller.
    """
    done, failed = [], 0
    chapters = sources(names, folder)
    try:
        for source in chapters:
            for seed in range(0, seeds * SEED_STEP, SEED_STEP):
                seconds, run = run_once(source, seed, threads, device)
                done.append(f"{source.stem} seed {seed}")
                failed += bool(run.problems)
                out(f"{source.stem}  seed {seed:<4}  {seconds:4.0f} s  {run}")
    except KeyboardInterrupt:
        out(f"stopped; done before: {', '.join(done) or 'no run'}")
        raise
    return failed
