"""Is everything here that the course needs? A line for each thing looked at, and what to do where one is wrong.

At the top only the standard library is imported: a doctor must start where nothing else does.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import textwrap
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the course's folder
INSTALL = "In the course's folder run `python -m pip install -e .` with this Python."
DOWNLOAD = "or download the course again"
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container: psutil tells what its whole machine has
LEAST_DISK, LITTLE_MEMORY = 0.1, 1.0  # gigabytes
SYMBOLS = {True: "✓", False: "✗", None: "·"}
INDENT, WIDTH = 18, 100
EXTENSIONS = {"jupyterlab-jupytext": "jupytext", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fine` is None for a remark: good to know, and nothing is wrong."""

    subject: str
    fine: bool | None
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        first = f"{SYMBOLS[self.fine]} {self.subject:<{INDENT - 3}} {self.found}"
        lines = [first, *([f"{'':<{INDENT}}{self.remedy}"] if self.remedy else [])]
        later = {"subsequent_indent": " " * INDENT, "break_on_hyphens": False}
        return "\n".join(textwrap.fill(line, WIDTH, **later) for line in lines)


def checkup() -> list[Finding]:
    """Look at everything; only at the first two things where one of them is wrong, for the rest would say nothing."""
    for look in (course, python):
        if wrong := [finding for finding in look() if finding.fine is False]:
            return wrong
    return [finding for look in (python, *LOOKS) for finding in looked(look)]


def report(findings: Sequence[Finding]) -> str:
    """All findings as a table, and a last line that sums them up."""
    wrong = sum(finding.fine is False for finding in findings)
    summary = f"{wrong} of {len(findings)} lines begin with ✗: mend those, from the top, and look again."
    return "\n".join([*map(str, findings), "", summary if wrong else "Everything that the course needs is here."])


def looked(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What `look` finds; a package that is missing there is a finding too, and no reason to stop."""
    subject = look.__name__.replace("_", " ")
    try:
        yield from look()
    except ImportError as error:
        yield Finding(subject, None, f"not looked at: {brief(error)}")
    except OSError as error:
        yield Finding(subject, False, f"could not be looked at: {brief(error)}")


def brief(text: object) -> str:
    """The first line of a message, its paths shortened: those of the course begin in its folder, others at home (~)."""
    line = next(iter(str(text).splitlines()), "")
    return line.replace(f"{ROOT}{os.sep}", "").replace(str(Path.home()), "~")


def course() -> Iterator[Finding]:
    """Whether cnnlib stands in the course's folder: installed without `-e` it would have neither data nor chapters."""
    if not (ROOT / "pyproject.toml").is_file():
        found = "cnnlib is installed without its chapters and data"
        yield Finding("course", False, found, "Clone the repository and run `python -m pip install -e .` there.")


def python() -> Iterator[Finding]:
    """The version of this Python."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # an older Python has no tomllib
    least, beyond = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project).groups()
    low, high = (3, int(least)), (3, int(beyond) - 1)
    version = ".".join(map(str, sys.version_info[:3]))
    if low <= tuple(sys.version_info[:2]) <= high:
        yield Finding("Python", True, version)
    else:
        remedy = f"Install Python {high[0]}.{high[1]} and set the course up with it, as README.md says."
        wanted = f"the course needs {low[0]}.{low[1]} to {high[0]}.{high[1]}"
        yield Finding("Python", False, f"{version}; {wanted}", remedy)


def packages() -> Iterator[Finding]:
    """The installed versions beside the bounds in pyproject.toml; nothing is imported for it."""
    import tomllib  # new in Python 3.11

    try:
        from packaging.requirements import Requirement
    except ImportError:  # JupyterLab, matplotlib and others bring it
        yield Finding("packages", False, "the course's packages are not installed for this Python", INSTALL)
        return
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    good = []
    for line in project["dependencies"]:
        needed = Requirement(line)
        try:
            version = metadata.version(needed.name)
        except metadata.PackageNotFoundError:
            version = None
        if version and needed.specifier.contains(version, prereleases=True):
            good.append(f"{needed.name} {version}")
        else:
            wanted = f"the course needs {line.removeprefix(needed.name)}"
            remedy = f'Run `python -m pip install "{line}"` with this Python.'
            yield Finding(needed.name, False, f"{version or 'not installed'}; {wanted}", remedy)
    total = len(project["dependencies"])
    found = f"{len(good)} of {total} are as needed: {', '.join(good)}"
    yield Finding("packages", True if len(good) == total else None, found)


def torch_and_device() -> Iterator[Finding]:
    """Does torch load, what is it built for, and does a convolution run on the device that the chapters would take?"""
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        yield Finding("torch", False, "is not installed", INSTALL)
        return
    except (ImportError, OSError) as error:  # OSError: Windows does not find a library
        remedy = "Install it anew: `python -m pip install --force-reinstall torch torchvision` with this Python."
        yield Finding("torch", False, f"cannot be loaded: {brief(error)}", remedy)
        return
    cuda, hip = torch.version.cuda, torch.version.hip
    built = f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else "the processor"
    built += " and Apple's graphics (mps)" if torch.backends.mps.is_built() else ""
    yield Finding("torch", True, f"{torch.__version__}, built for {built}")
    from cnnlib.training import default_device

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a driver is too old, for one: then the processor computes
            device = default_device()
    except ValueError as error:
        yield Finding("device", False, brief(error))
        return
    try:
        nine = torch.nn.functional.conv2d(*torch.ones(2, 1, 1, 3, 3, device=device)).item()
    except RuntimeError as error:
        remedy = "Install a torch that is built for this device, or set CNNLIB_DEVICE=cpu."
        yield Finding("device", False, f"{device} does not compute: {brief(error)}", remedy)
        return
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    if device.type == "cpu":
        name = "; torch found no graphics card" if cuda or hip else ""
    right = "a first convolution is right" if nine == 9 else f"a convolution gives {nine} and not 9"
    yield Finding("device", nine == 9, f"{device}{name}; {right}", "" if nine == 9 else "Set CNNLIB_DEVICE=cpu.")


def processor() -> Iterator[Finding]:
    """How many cores this process may use, and how many threads torch takes."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", True, f"cores: {cores}, threads that torch takes: {torch.get_num_threads()}")


def memory() -> Iterator[Finding]:
    """How much there is and how much is free: a kernel that runs out of it dies without a word."""
    try:
        import psutil
    except ImportError:
        yield Finding("memory", None, "unknown: the package psutil is not installed")
        return
    given = LIMIT.read_text(encoding="ascii").strip() if LIMIT.is_file() else ""
    limit = int(given) if given.isdecimal() else sys.maxsize
    machine = psutil.virtual_memory()
    total, free = (min(size, limit) / 1e9 for size in (machine.total, machine.available))
    found = f"{total:.1f} GB, of which {free:.1f} GB are free"
    scarce = free < LITTLE_MEMORY
    yield Finding("memory", None if scarce else True, found, "Close what you do not need." if scarce else "")


def disk() -> Iterator[Finding]:
    """Space and the right to write where the notebooks are."""
    free = shutil.disk_usage(ROOT).free / 1e9
    remedy = "Free some space: a notebook that cannot be saved is lost." if free < LEAST_DISK else ""
    yield Finding("disk", free >= LEAST_DISK, f"{free:.1f} GB are free", remedy)
    if not os.access(ROOT / "chapters", os.W_OK):
        yield Finding("chapters", None, "the folder is read-only", "Save what you change under another name elsewhere.")


def embedded_data() -> Iterator[Finding]:
    """The data sets in the repository, held to the SHA-256 sums in data/README.md."""
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    sums = re.findall(r"^\| `(images/\w+\.npz)` .*`([0-9a-f]{64})` \|$", text, re.MULTILINE)
    if not sums:
        remedy = f"Restore it with `git checkout -- data/README.md`, {DOWNLOAD}."
        yield Finding("data", False, "data/README.md names no sums to check the data by", remedy)
    for name, wanted in sums:
        path = ROOT / "data" / name
        remedy = f"Restore it with `git checkout -- data/{name}`, {DOWNLOAD}."
        if not path.is_file():
            yield Finding("data", False, f"data/{name} is missing", remedy)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            found = f"data/{name} is damaged: its SHA-256 sum is not the one in data/README.md"
            yield Finding("data", False, found, remedy)
        else:
            yield Finding("data", True, f"data/{name}, {path.stat().st_size / 1e6:.1f} MB, has the right sum")


def full_data_sets() -> Iterator[Finding]:
    """The folder that CNNLIB_DATA names, if it names one. Only the tables of contents of its files are read."""
    from cnnlib.datasets import KEYS, SOURCES, cache_folder

    given = os.environ.get("CNNLIB_DATA")
    folder = Path(given).expanduser() if given else cache_folder()
    where = f"CNNLIB_DATA ({brief(folder)})" if given else "the cache"
    if given and not folder.is_dir():
        yield Finding("full data sets", False, f"{where} is no folder", "Name the right one, or unset CNNLIB_DATA.")
        return
    files = [path for path in (folder / f"{name}.npz" for name in SOURCES) if path.exists()]
    broken = [path.name for path in files if not set(KEYS) <= contents(path)]
    for name in broken if given else ():
        remedy = "Replace it (data/README.md says how to make one), or unset CNNLIB_DATA."
        yield Finding("full data sets", False, f"{name} in {where} is cut off, or no data set", remedy)
    whole = ", ".join(path.name for path in files if path.name not in broken) or f"none of {', '.join(SOURCES)}"
    remark = "" if given else "; CNNLIB_DATA is not set, what is asked for is downloaded"
    yield Finding("full data sets", None, f"{whole} in {where}{remark}")


def contents(path: Path) -> set[str]:
    """The names of the arrays in an .npz, none if it is not whole."""
    try:
        with zipfile.ZipFile(path) as file:
            return {name.removesuffix(".npy") for name in file.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def recorded_runs() -> Iterator[Finding]:
    """Every recorded run is read."""
    from cnnlib.records import RecordError, read_all

    names = sorted(folder.name for folder in (ROOT / "data" / "runs").glob("*") if folder.is_dir())
    remedy = f"Restore them with `git checkout -- data/runs`, {DOWNLOAD}."
    count = 0
    for name in names:
        try:
            count += sum(map(len, read_all(name, ROOT / "data" / "runs").values()))
        except RecordError as error:
            yield Finding("recorded runs", False, brief(error), remedy)
    if count:
        yield Finding("recorded runs", True, f"{count} runs of {', '.join(names)}")
    else:
        yield Finding("recorded runs", False, "none can be read in data/runs", remedy)


def jupyter() -> Iterator[Finding]:
    """The extensions of JupyterLab, and that the kernel of the notebooks is this Python."""
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    missing = [package for name, package in EXTENSIONS.items() if not any((path / name).is_dir() for path in folders)]
    for package in missing:
        remedy = f"If your JupyterLab is this Python's, run `python -m pip install --force-reinstall {package}`."
        yield Finding("JupyterLab", None, f"the extension of {package} is not found", remedy)
    if not missing:
        yield Finding("JupyterLab", True, "finds the extensions of " + " and ".join(EXTENSIONS.values()))
    specs = [Path(folder) / "python3" / "kernel.json" for folder in jupyter_path("kernels")]
    spec = next((path for path in specs if path.is_file()), None)
    program = json.loads(spec.read_text(encoding="utf-8"))["argv"][0] if spec else "python"  # ipykernel's own
    here, there = (os.path.normcase(os.path.dirname(path)) for path in (sys.executable, program))
    if there in ("", here):  # Jupyter starts the plain name "python" as the Python that it runs in itself
        yield Finding("kernel", True, "python3 is this Python")
    else:
        remedy = "With this Python run `python -m ipykernel install --sys-prefix`, and restart JupyterLab."
        yield Finding("kernel", False, f"python3 is another Python: {brief(program)}", remedy)


def settings() -> Iterator[Finding]:
    """The course's environment variables that change what a chapter prints."""
    from cnnlib.training import first_seed

    try:
        seed = first_seed()
    except ValueError as error:
        yield Finding("CNNLIB_SEED", False, brief(error))
    else:
        if seed:
            yield Finding("CNNLIB_SEED", None, f"{seed} is added to every seed: measured numbers will differ")


LOOKS = (
    packages,
    torch_and_device,
    processor,
    memory,
    disk,
    embedded_data,
    full_data_sets,
    recorded_runs,
    jupyter,
    settings,
)
