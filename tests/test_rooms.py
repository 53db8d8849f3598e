"""A room imports only rooms above it, as the README's table of rooms has them."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (
    ["claims"], ["records"], ["errors"], ["vision"], ["convolution"], ["layers"], ["models"], ["weights"], ["data"],
    ["datasets"], ["parallel"], ["checkpoints"], ["training"], ["analysis"], ["experiments"], ["plots"], ["widgets"],
    ["course"], ["publish"], ["__main__"],
)  # fmt: skip
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "cnnlib").parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms of cnnlib that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cnnlib":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnnlib."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cnnlib.")}
    return names


FILES = [
    path
    for path in sorted((ROOT / "cnnlib").rglob("*.py"))
    if path.parent != ROOT / "cnnlib" or path.stem != "__init__"
]


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name != "guard"], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_rooms_above_it(path):
    rank = RANK[room_of(path)]
    assert {room for room in imported(path) if RANK[room] > rank} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_says_on_its_first_line_what_is_in_it(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring and docstring.splitlines()[0].endswith((".", ":", "?"))


def test_importing_cnnlib_brings_nothing_slow():
    code = "import cnnlib, sys; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "torchvision", "IPython", "nbformat", "jupytext", "ipywidgets"} & set(loaded)


def packages(lines: list[str]) -> dict[str, str]:
    """Package: bounds, as in "torch>=2.9,<2.16"."""
    return {line.split(">=")[0]: line.partition(">=")[2] for line in lines}


def test_conda_s_environment_has_the_packages_and_bounds_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    conda = packages([line.strip(" -\n") for line in lines if ">=" in line])
    assert conda.pop("python") == project["requires-python"].removeprefix(">=")
    conda["torch"] = conda.pop("pytorch")
    assert conda == packages(project["dependencies"])


def test_every_dependency_has_a_lower_and_an_upper_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    assert all(">=" in line and ",<" in line for line in project["dependencies"] + extras)


def test_it_is_found_from_any_folder(tmp_path):
    code = "from cnnlib.datasets import digits; from cnnlib.records import RUNS; print(len(digits()[0]), RUNS.is_dir())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["8000", "True"]


def test_the_readme_has_the_rooms_in_this_order():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| `cnnlib/` |")]
    named = row.partition("imports only those before it: ")[2].strip(" |").split(", ")
    assert named == [room for rooms in ROOMS for room in rooms if room != "__main__"]
