"""The doctor finds what is broken, names what to do, and starts where nothing else does."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from cnnlib.__main__ import main
from cnnlib.datasets import KEYS
from cnnlib.publish import doctor
from cnnlib.publish.doctor import Finding, checkup, report

DEPENDENCIES = tomllib.loads((doctor.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """A copy of the course's project file and data, for the doctor to look at and for tests to break."""
    for name in ("pyproject.toml", "data/README.md", "data/images", "data/runs/pixel-shuffle"):
        source, target = doctor.ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    (tmp_path / "chapters").mkdir()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("CNNLIB_DATA", "CNNLIB_DEVICE", "CNNLIB_SEED"):
        monkeypatch.delenv(name, raising=False)


def about(subject: str, look=checkup) -> list[Finding]:
    return [finding for finding in look() if finding.subject == subject]


def wrong(findings: list[Finding]) -> list[str]:
    return [finding.subject for finding in findings if finding.fine is False]


def installed(folder: Path, name: str, version: str) -> None:
    """A package of that version, as pip leaves it, in a folder that comes first on the path."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


def in_a_new_python(*options: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *options, "-m", "cnnlib", "doctor"]
    settings = os.environ | {"PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=doctor.ROOT, env=settings)


def test_here_everything_is_well_and_no_private_path_is_shown(capsys):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "✗" not in told and told.endswith("\n\nEverything that the course needs is here.\n")
    assert f"{len(DEPENDENCIES)} of {len(DEPENDENCIES)} are as needed" in told
    assert str(doctor.ROOT) not in told and str(Path.home()) not in told


@pytest.mark.parametrize(("version", "fine"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 14, 0), False)])
def test_another_python_ends_the_visit(version, fine, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    (finding,) = doctor.python()
    assert finding.fine == fine
    if not fine:
        assert "the course needs 3.11 to 3.13" in finding.found and "Install Python 3.13" in finding.remedy
        assert checkup() == [finding]


@pytest.mark.parametrize(
    ("name", "version", "fine"),
    [
        ("torch", "2.8.0", False),
        ("torch", "2.16.0+cu140", False),
        ("torch", "2.12.1+cpu", None),
        ("pytest-xdist", "3.5.0", False),
        ("matplotlib", "3.10.0rc1", None),
    ],
)
def test_versions_are_held_to_the_bounds_of_pyproject(name, version, fine, tmp_path, monkeypatch):
    installed(tmp_path, name, version)
    monkeypatch.syspath_prepend(tmp_path)
    found = list(doctor.packages())
    if fine is None:
        assert f"{name} {version}" in found[-1].found and wrong(found) == []
    else:
        (line,) = [line for line in DEPENDENCIES if line.startswith(f"{name}>")]
        assert wrong(found) == [name] and found[0].found.startswith(f"{version}; the course needs >=")
        assert found[0].remedy == f'Run `python -m pip install "{line}"` with this Python.'
        assert found[-1].found.startswith(f"{len(DEPENDENCIES) - 1} of {len(DEPENDENCIES)}")


def test_a_package_that_is_not_installed_is_named(copy):
    text = (copy / "pyproject.toml").read_text(encoding="utf-8")
    (copy / "pyproject.toml").write_text(text.replace('"numpy>', '"numpie>'), encoding="utf-8")
    (finding,) = about("numpie", doctor.packages)
    assert finding.found == "not installed; the course needs >=1.26,<3" and finding.fine is False


def test_a_python_without_any_package_is_told_how_to_get_them():
    done = in_a_new_python("-S")
    assert done.returncode == 1 and done.stderr == ""
    assert "✗ packages        the course's packages are not installed for this Python" in done.stdout
    assert "pip install -e ." in done.stdout and "✓ data" in done.stdout


def test_a_torch_that_does_not_load_stops_nothing_else(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('[WinError 126] Error loading c10.dll')\n", encoding="utf-8")
    done = in_a_new_python(PYTHONPATH=str(tmp_path))
    assert done.returncode == 1 and done.stderr == ""
    assert "✗ torch           cannot be loaded: [WinError 126] Error loading c10.dll" in done.stdout
    assert "--force-reinstall torch" in done.stdout and "✓ data" in done.stdout and "✓ kernel" in done.stdout


@pytest.mark.slow
def test_it_imports_nothing_slow_but_torch():
    code = "from cnnlib.publish.doctor import checkup; checkup(); import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    slow = {"matplotlib", "torchvision", "IPython", "jupytext", "ipywidgets", "nbformat", "jupyterlab"}
    assert "torch" in loaded and not slow & set(loaded)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("CNNLIB_DEVICE", "quantum")
    (finding,) = about("device")
    assert finding.fine is False and "which this machine does not have" in finding.found


def test_a_device_that_computes_nothing_is_found(monkeypatch):
    monkeypatch.setenv("CNNLIB_DEVICE", "meta")  # has shapes and no numbers
    (finding,) = about("device")
    assert finding.fine is False and "set CNNLIB_DEVICE=cpu" in finding.remedy


@pytest.mark.parametrize(("text", "fine", "words"), [("seven", False, "no whole number"), ("7", None, "7 is added")])
def test_a_seed_in_the_environment_is_told(text, fine, words, monkeypatch):
    monkeypatch.setenv("CNNLIB_SEED", text)
    (finding,) = about("CNNLIB_SEED", doctor.settings)
    assert finding.fine is fine and words in finding.found


def test_an_embedded_file_that_is_cut_off_changed_or_missing_is_named(copy):
    path = copy / "data" / "images" / "digits.npz"
    whole = path.read_bytes()
    assert wrong(list(doctor.embedded_data())) == []
    for content in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), None):
        path.write_bytes(content) if content is not None else path.unlink()
        broken, sound = doctor.embedded_data()
        assert broken.fine is False and sound.fine is True
        assert broken.found.startswith("data/images/digits.npz is " + ("damaged" if content else "missing"))
        assert "git checkout -- data/images/digits.npz" in broken.remedy


def test_data_without_their_sums_are_not_called_sound(copy):
    (copy / "data" / "README.md").unlink()
    (finding,) = doctor.looked(doctor.embedded_data)
    assert finding.fine is False and finding.found.endswith("'data/README.md'")


def npz(path: Path, *keys: str) -> None:
    np.savez(path, **{key: np.zeros(3) for key in keys})


def test_the_folder_that_cnnlib_data_names_is_looked_into(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "nowhere"))
    (finding,) = doctor.full_data_sets()
    assert finding.fine is False and finding.found.endswith("is no folder")

    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    (finding,) = doctor.full_data_sets()
    assert finding.fine is None and finding.found.startswith("none of mnist, fashion_mnist, cifar10")

    npz(tmp_path / "mnist.npz", *KEYS)
    npz(tmp_path / "cifar10.npz", *KEYS[:-1])
    (tmp_path / "fashion_mnist.npz").write_bytes((tmp_path / "mnist.npz").read_bytes()[:-30])
    *broken, there = doctor.full_data_sets()
    assert [finding.found.split()[0] for finding in broken] == ["fashion_mnist.npz", "cifar10.npz"]
    assert wrong(broken) == ["full data sets"] * 2 and there.found.startswith("mnist.npz in CNNLIB_DATA")


def test_a_cache_with_a_broken_file_is_no_illness(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "cnnlib").mkdir()
    (tmp_path / "cnnlib" / "mnist.npz").write_bytes(b"half")  # it is fetched again
    (finding,) = doctor.full_data_sets()
    assert finding.fine is None and finding.found.startswith("none of")


def test_a_broken_run_is_named_and_so_are_runs_that_are_gone(copy):
    assert wrong(list(doctor.recorded_runs())) == []
    (copy / "data" / "runs" / "pixel-shuffle" / "cnn-all-0.json").write_text("{", encoding="utf-8")
    broken, none = doctor.recorded_runs()
    assert broken.found.startswith(f"data{os.sep}runs") and "is not whole JSON" in broken.found
    shutil.rmtree(copy / "data" / "runs")
    (finding,) = doctor.recorded_runs()
    assert finding == none and finding.fine is False and "git checkout -- data/runs" in finding.remedy


def test_a_kernel_of_another_python_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    for program, fine in [("python", True), (sys.executable, True), (str(tmp_path / "python"), False)]:
        spec.write_text(f'{{"argv": ["{Path(program).as_posix()}", "-m", "ipykernel_launcher"]}}', encoding="utf-8")
        (finding,) = about("kernel", doctor.jupyter)
        assert finding.fine is fine
    assert "ipykernel install --sys-prefix" in finding.remedy


def test_extensions_that_are_not_found_are_a_remark(monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *folders: [])
    found = about("JupyterLab", doctor.jupyter)
    assert [finding.fine for finding in found] == [None, None]
    assert "extension of jupytext is not found" in found[0].found and "jupyterlab_widgets" in found[1].remedy


def test_a_full_disk_is_found(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    (finding,) = about("disk", doctor.disk)
    assert finding.fine is False and finding.found == "0.0 GB are free" and finding.remedy


@pytest.mark.parametrize(("limit", "found"), [("512000000", "0.5 GB, of which 0.5"), ("max", "GB, of which")])
def test_memory_is_what_a_container_leaves(limit, found, tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text(limit + "\n", encoding="ascii")
    monkeypatch.setattr(doctor, "LIMIT", tmp_path / "memory.max")
    (finding,) = doctor.memory()
    assert found in finding.found and (finding.fine is None) == (limit != "max")


def test_memory_without_psutil_is_unknown_and_no_illness(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    (finding,) = doctor.memory()
    assert finding.fine is None and "unknown" in finding.found


def test_cnnlib_without_its_course_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    (finding,) = checkup()
    assert finding.subject == "course" and "Clone the repository" in finding.remedy


def test_what_is_wrong_makes_the_command_fail_and_is_counted(copy, capsys):
    (copy / "data" / "images" / "fashion.npz").unlink()
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "✗ data            data/images/fashion.npz is missing" in told
    assert re.search(r"\n\n1 of \d+ lines begin with ✗", told)


def test_a_line_is_a_line_and_long_ones_are_folded():
    told = report([Finding("packages", True, "word " * 40), Finding("disk", False, "0.0 GB are free", "Free some.")])
    first, second, *_ = told.splitlines()
    assert first.startswith("✓ packages        word") and second.startswith(" " * doctor.INDENT + "word")
    assert all(len(line) <= doctor.WIDTH for line in told.splitlines())
    assert "\n✗ disk            0.0 GB are free\n" + " " * doctor.INDENT + "Free some.\n" in told
