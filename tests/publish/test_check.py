import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cnnlib.publish import pairs
from cnnlib.publish.check import check

SOURCE = """\
# %% [markdown]
# # Tiny

# %%
import os

from cnnlib.claims import claim, verdict

shift = int(os.environ["CNNLIB_SEED"])

# %% tags=["nbval-ignore-output"]
print(shift)

# %% tags=["claim"]
claim("A seed is a number.", shift >= 0)
claim("The seed is small.", shift < 150)
verdict("Seeds are zero", shift < 50, "They are shifted.")

# %%
6 * 7
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built chapter: a claim of it fails above 150, a verdict turns above 50."""
    path = tmp_path_factory.mktemp("chapters") / "03_tiny.py"
    path.write_text(SOURCE, encoding="utf-8")
    pairs.build(path)
    return path


@pytest.fixture
def chapter(built: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    shutil.copy(built.with_suffix(".ipynb"), tmp_path)
    return Path(shutil.copy(built, tmp_path))


def said(chapter: Path, seeds: int = 1, **options: object) -> tuple[int, list[str]]:
    """How many runs of `check` fail, and its lines without the seconds."""
    lines: list[str] = []
    failed = check(["03"], seeds, out=lines.append, folder=chapter.parent, **options)
    return failed, [re.sub(r" +\d+ s +", ": ", re.sub(r" +(?=seed)", " ", line)) for line in lines]


@pytest.mark.slow
def test_each_seed_is_a_run_and_a_line(chapter: Path):
    before = chapter.with_suffix(".ipynb").read_bytes()
    assert said(chapter, seeds=3) == (
        2,
        [
            "03_tiny seed 0: all 3 claims hold",
            "03_tiny seed 100: does not hold: “Seeds are zero”",
            "03_tiny seed 200: ✗ The seed is small.; does not hold: “Seeds are zero”",
        ],
    )
    assert chapter.with_suffix(".ipynb").read_bytes() == before
    assert len(list(chapter.parent.iterdir())) == 2, "it ran elsewhere"


def rebuild(chapter: Path, old: str, new: str, build: bool = True) -> None:
    """Change the source, and the notebook with it if `build`."""
    chapter.write_text(SOURCE.replace(old, new), encoding="utf-8")
    if build:
        pairs.build(chapter)


@pytest.mark.slow
def test_an_exact_cell_that_depends_on_the_seed_is_found(chapter: Path):
    rebuild(chapter, "6 * 7", "shift * 7")
    failed, lines = said(chapter, seeds=2)
    assert (failed, lines[0]) == (1, "03_tiny seed 0: all 3 claims hold")
    assert "cell 5 (shift * 7) is exact but shows something else" in lines[1]


def test_threads_and_device_reach_the_chapter(chapter: Path):
    rebuild(
        chapter, "shift < 50", 'os.environ["OMP_NUM_THREADS"] + os.environ["CNNLIB_DEVICE"] == "7meta"', build=False
    )
    nbformat.write(pairs.read(chapter), chapter.with_suffix(".ipynb"))
    assert said(chapter, threads=7, device="meta")[1][0].endswith(
        "; holds: “Seeds are zero”; cell 5 (6 * 7) is exact but shows something else"
    )


@pytest.mark.slow
def test_an_error_counts_as_failed(chapter: Path):
    rebuild(chapter, "print(shift)", "1 / (shift < 50)")
    failed, lines = said(chapter, seeds=2)
    assert (failed, lines[0]) == (1, "03_tiny seed 0: all 3 claims hold")
    assert "cell 3 (1 / (shift < 50)) stopped with ZeroDivisionError: division by zero" in lines[1]


def test_a_notebook_out_of_step_is_not_run(chapter: Path):
    rebuild(chapter, "6 * 7", "7 * 6", build=False)
    sentence = "the notebook is not in step with its source: run `python -m cnnlib sync 03` first"
    assert said(chapter) == (1, [f"03_tiny seed 0: {sentence}"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_says_what_is_done_and_leaves_nothing(chapter: Path, tmp_path: Path):
    rebuild(chapter, "print(shift)", "import time\ntime.sleep(shift)")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = f"""
from pathlib import Path
from cnnlib.publish.check import check
check(["03"], seeds=2, out=lambda line: print(line, flush=True), folder=Path({str(tmp_path)!r}))
"""
    environment = os.environ | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, start_new_session=True, text=True) as process:
        assert process.stdout.readline().endswith("all 3 claims hold\n")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert rest == "stopped; done before: 03_tiny seed 0\n"
    assert "KeyboardInterrupt" in errors
    assert list(temporary.iterdir()) == []
