"""A chapter's two halves: `NN_name.py`, the source, and `NN_name.ipynb`, the same cells with what they printed.

Built here and nowhere else, so that a notebook has the same bytes whoever builds it: ids from the cells' text, no
times, no live widgets, one kernel name. Only what the cells of measured numbers print differs between machines.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import jupytext
import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from cnnlib.records import replacing

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
GUARD = Path(__file__).resolve().parent / "guard"
KEPT = ("tags", "slideshow", "jupyter", "alt")  # of a cell's metadata, as in chapters/jupytext.toml
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class ChapterError(RuntimeError):
    """A chapter that is not there or does not run; the message says which cell and why."""


def sources(names: Iterable[str] = (), folder: Path = CHAPTERS) -> list[Path]:
    """The sources of the chapters called `names` ("03", "3", "03_training", "training"), of all without names.

    Raises ChapterError for a name that no chapter has.
    """
    chapters = sorted(folder.glob("[0-9][0-9]_*.py"))
    by_name = {}
    for source in chapters:
        number, _, title = source.stem.partition("_")
        by_name |= dict.fromkeys((source.stem, number, str(int(number)), title), source)
    names = [Path(name).stem for name in names]
    if unknown := [name for name in names if name not in by_name]:
        there = ", ".join(source.stem for source in chapters) or "none"
        raise ChapterError(f"no chapter is called {' or '.join(unknown)}; there are: {there}")
    return [by_name[name] for name in names] or chapters


def read(source: Path) -> NotebookNode:
    """The cells of a source, without outputs, in a notebook whose ids and metadata follow from the text alone."""
    parsed = jupytext.read(source, fmt="py:percent")
    notebook = nbformat.v4.new_notebook(metadata=METADATA, cells=parsed.cells)
    if "title" in parsed.metadata:
        notebook.metadata["title"] = parsed.metadata["title"]
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.metadata = kept(cell)
        digest = hashlib.sha1(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:8]
        cell.id = f"{digest}-{seen[digest]}" if seen[digest] else digest
        seen[digest] += 1
    return notebook


def kept(cell: NotebookNode) -> NotebookNode:
    """The part of a cell's metadata that stands in both halves; an editor's empty lists are nothing."""
    return NotebookNode({key: value for key, value in cell.metadata.items() if key in KEPT and value})


def stale(source: Path) -> bool:
    """Are the notebook's cells others than the source's (or is one half missing)? Outputs and ids do not count."""
    notebook = source.with_suffix(".ipynb")
    if not (source.exists() and notebook.exists()):
        return True

    def cells(content: NotebookNode) -> list[tuple]:
        return [(cell.cell_type, cell.source, kept(cell)) for cell in content.cells]

    return cells(read(source)) != cells(nbformat.read(notebook, as_version=4))


def first_line(cell: NotebookNode, width: int = 60) -> str:
    """The first line of a cell, shortened, to name it by."""
    line = next(iter(cell.source.strip().splitlines()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


def guarded_environment(**extra: str) -> dict[str, str]:
    """This process's environment and `extra`, for a Python that reaches no address but its own machine's."""
    behind = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(GUARD)]
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(GUARD), *behind])} | extra


class ThisPython(KernelSpecManager):
    """Starts the Python that runs, whatever the kernels installed on this machine are called."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        # ipykernel 7 warns at each start that it talks over TCP, which never leaves this machine: errors only.
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict(extra_arguments=["--log-level=40"]))


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    timeout: int = 300,
    allow_errors: bool = False,
) -> float:
    """Run the notebook's cells in a fresh kernel, in `folder` and without a network; put what they print into it.

    `seed` shifts the seeds of experiments, `threads` and `device` are what the chapter gets (all by default), `timeout`
    is the longest a cell may take, in seconds. Returns the seconds it took. Raises ChapterError where a cell stops with
    an error (unless it is tagged raises-exception, or `allow_errors`), takes too long, or takes the kernel down. A
    KeyboardInterrupt ends the kernel.
    """
    extra = {"CNNLIB_SEED": str(seed)}
    if threads is not None:
        extra |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    if device is not None:
        extra["CNNLIB_DEVICE"] = device
    manager = AsyncKernelManager(kernel_spec_manager=ThisPython())
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=timeout,
        allow_errors=allow_errors,
        coalesce_streams=True,
        record_timing=False,
        shutdown_kernel="immediate",
    )
    begun = time.perf_counter()
    try:
        with client.setup_kernel(cleanup_kc=True, cwd=str(folder), env=guarded_environment(**extra)):
            for number, cell in enumerate(notebook.cells, start=1):
                run_cell(client, number, cell)
    finally:
        if run_sync(manager.is_alive)():  # interrupted while it started
            run_sync(manager.shutdown_kernel)(now=True)
    return time.perf_counter() - begun


def run_cell(client: NotebookClient, number: int, cell: NotebookNode) -> None:
    """Run the cell with this number, counted from 1. Raises ChapterError where it fails."""
    where = f"cell {number} ({first_line(cell)})"
    try:
        client.execute_cell(cell, number - 1, execution_count=client.code_cells_executed + 1)
    except CellExecutionError as error:
        reason = next(iter(error.evalue.splitlines()), "")
        raise ChapterError(f"{where} stopped with {error.ename}: {reason}") from error
    except CellTimeoutError as error:
        raise ChapterError(f"{where} ran for more than {client.timeout} s") from error
    except DeadKernelError as error:
        raise ChapterError(f"{where} took the kernel down: was the memory enough?") from error


def build(source: Path, timeout: int = 300) -> Path:
    """Run a source and write its notebook beside it, whole or not at all. Returns the notebook's path.

    Raises ChapterError with the chapter, the cell and the error where it does not run; the old notebook then stays.
    """
    notebook = read(source)
    try:
        execute(notebook, source.parent, timeout=timeout)
    except ChapterError as error:
        raise ChapterError(f"{source.stem}: {error}") from error
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    path = source.with_suffix(".ipynb")
    with replacing(path) as temporary:
        temporary.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    return path


def sync(
    names: Iterable[str] = (), force: bool = False, folder: Path = CHAPTERS, out: Callable[[str], None] = print
) -> int:
    """Build the notebooks of the chapters `names` (all of them) that differ from their sources; with `force`, each one.

    Says name and seconds as each is done; returns how many it built.
    """
    to_build = [source for source in sources(names, folder) if force or stale(source)]
    for source in to_build:
        begun = time.perf_counter()
        build(source)
        out(f"{source.stem}  built in {time.perf_counter() - begun:.0f} s")
    if not to_build:
        out("every notebook is in step with its source")
    return len(to_build)
