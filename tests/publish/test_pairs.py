import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from cnnlib.publish import pairs

SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Ünï
#
# Text.

# %%
import os
import sys

print(sys.executable, os.environ["OMP_NUM_THREADS"])
print("flushed", flush=True)
print("late", file=sys.stderr)
os.environ["CNNLIB_SEED"]

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
from ipywidgets import IntSlider

IntSlider()


# %%
print(1)

# %%
print(1)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A chapter's source, in a folder with the course's jupytext.toml."""
    shutil.copy(pairs.CHAPTERS / "jupytext.toml", tmp_path)
    path = tmp_path / "03_tiny.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_source_is_found_by_number_and_by_name(tmp_path: Path):
    for name in ("03_training.py", "10_densenet.py", "notes.py"):
        (tmp_path / name).touch()
    three, ten = tmp_path / "03_training.py", tmp_path / "10_densenet.py"
    assert pairs.sources(folder=tmp_path) == [three, ten]
    for name in ("03", "3", "03_training", "training", "chapters/03_training.ipynb"):
        assert pairs.sources([name], tmp_path) == [three]
    assert pairs.sources(["10", "03"], tmp_path) == [ten, three]
    with pytest.raises(pairs.ChapterError, match="called 04 or notes; there are: 03_training, 10_densenet"):
        pairs.sources(["04", "notes"], tmp_path)


def test_ids_follow_from_the_text(source: Path):
    ids = [cell.id for cell in pairs.read(source).cells]
    assert ids == [cell.id for cell in pairs.read(source).cells]
    assert ids[4] == f"{ids[3]}-1", "equal cells are told apart by a counter"
    source.write_text(SOURCE.replace("Text.", "Other text."), encoding="utf-8")
    assert [a == b for a, b in zip(ids, [cell.id for cell in pairs.read(source).cells])] == [False, *[True] * 4]


def test_a_notebook_holds_what_the_cells_print_and_nothing_that_changes(
    source: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = pairs.build(source)
    assert capfd.readouterr() == ("", ""), "building says nothing of its own"
    assert path == source.with_suffix(".ipynb")
    content = path.read_bytes()
    pairs.build(source)
    assert path.read_bytes() == content

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    first = notebook.cells[1].outputs
    assert first[0].text == f"{sys.executable} 1\nflushed\n", "the Python that runs, one stream"
    assert first[1].text == "late\n"
    assert first[2].data["text/plain"] == "'0'"
    assert list(notebook.cells[2].outputs[0].data) == ["text/plain"], "no live widget"
    assert "widgets" not in notebook.metadata
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert "version" not in notebook.metadata.language_info
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2, 3, 4]
    assert content.endswith(b"}\n") and "Ünï" in content.decode()
    assert sorted(file.name for file in source.parent.iterdir()) == ["03_tiny.ipynb", "03_tiny.py", "jupytext.toml"]


def test_a_pair_is_stale_when_a_cell_differs_not_when_an_output_does(source: Path):
    assert pairs.stale(source)
    path = source.with_suffix(".ipynb")
    notebook = pairs.read(source)
    nbformat.write(notebook, path)
    assert not pairs.stale(source)

    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="other\n")]
    notebook.cells[1].metadata = {"trusted": True, "tags": []}
    notebook.cells[1].id = "other"
    nbformat.write(notebook, path)
    assert not pairs.stale(source)

    for old, new in (("Text.", "Text!"), ("nbval-ignore-output", "claim"), ("# %%\nprint(1)\n", "# %%\nprint(2)\n")):
        source.write_text(SOURCE.replace(old, new), encoding="utf-8")
        assert pairs.stale(source), new


def test_saving_in_jupyterlab_writes_both_halves(source: Path):
    from jupytext.sync_contentsmanager import TextFileContentsManager

    notebook = source.with_suffix(".ipynb")
    nbformat.write(pairs.read(source), notebook)
    manager = TextFileContentsManager(root_dir=str(source.parent))
    model = manager.get(notebook.name)
    manager.save(model, notebook.name)
    assert source.read_text(encoding="utf-8") == SOURCE
    assert not pairs.stale(source)

    model["content"]["cells"][0]["source"] = "# Other"
    manager.save(model, notebook.name)
    assert "# # Other\n" in source.read_text(encoding="utf-8")
    assert not pairs.stale(source)


def test_sync_builds_what_is_stale(source: Path):
    said: list[str] = []
    source.write_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n", encoding="utf-8")
    assert pairs.sync(folder=source.parent, out=said.append) == 1
    assert pairs.sync(["03"], folder=source.parent, out=said.append) == 0
    assert pairs.sync(["tiny"], force=True, folder=source.parent, out=said.append) == 1
    assert [line.split(" in ")[0] for line in said] == ["03_tiny  built", "every notebook is", "03_tiny  built"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\n1 / 0", r"03_tiny: cell 1 \(x = 1\) stopped with ZeroDivisionError: division by zero"),
        ("import os\nos._exit(1)", r"03_tiny: cell 1 \(import os\) took the kernel down"),
        ("import time\ntime.sleep(60)", r"03_tiny: cell 1 \(import time\) ran for more than 1 s"),
    ],
)
def test_a_chapter_that_does_not_run_says_where_and_leaves_the_old_notebook(code: str, said: str, source: Path):
    notebook = source.with_suffix(".ipynb")
    notebook.write_text("old", encoding="utf-8")
    source.write_text(f"# %%\n{code}\n", encoding="utf-8")
    with pytest.raises(pairs.ChapterError, match=said):
        pairs.build(source, timeout=1)
    assert notebook.read_text(encoding="utf-8") == "old"
    assert len(list(source.parent.iterdir())) == 3


def test_an_announced_error_is_part_of_the_chapter(source: Path):
    source.write_text('# %% tags=["raises-exception"]\n1 / 0\n', encoding="utf-8")
    notebook = nbformat.read(pairs.build(source), as_version=4)
    assert notebook.cells[0].outputs[0].ename == "ZeroDivisionError"


def test_seed_threads_and_device_reach_the_kernel(tmp_path: Path):
    names = ("CNNLIB_SEED", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CNNLIB_DEVICE")
    code = f"import os\n[os.environ[name] for name in {names}] + [os.getcwd()]"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    seconds = pairs.execute(notebook, tmp_path, seed=200, threads=3, device="cuda:1")
    shown = ["200", "3", "3", "cuda:1", str(tmp_path.resolve())]
    assert "".join(notebook.cells[0].outputs[0].data["text/plain"].split("\n ")).replace(",'", ", '") == str(shown)
    assert 0 < seconds < 30


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_ends_the_kernel_and_leaves_the_old_notebook(source: Path):
    notebook, marker = source.with_suffix(".ipynb"), source.parent / "kernel"
    notebook.write_text("old", encoding="utf-8")
    cell = f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    source.write_text(f"# %%\n{cell}\n", encoding="utf-8")
    code = f"import pathlib, cnnlib.publish.pairs as p; p.build(pathlib.Path({str(source)!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True, text=True)
    wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    wait_for(lambda: not alive(int(marker.read_text(encoding="utf-8"))))
    assert notebook.read_text(encoding="utf-8") == "old"


def wait_for(condition: object, seconds: float = 20) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Is there a process with this number?"""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
