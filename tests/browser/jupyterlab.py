"""JupyterLab for tests: a server of its own on 127.0.0.1, and a notebook that is opened and run by the menu."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from cnnlib.publish.pairs import guarded_environment

SECONDS = 90  # for what takes a few on an idle machine
FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "IPYTHONDIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else a cell out of sight is not in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
# A cell for each lab, small but with what was recorded; the kernel's answer to the lesion lab is a stand-in.
LABS = {
    "convolution": """
from cnnlib.datasets import digits
from cnnlib.widgets import ConvolutionLab
image = digits()[0].pixels[3] / 255
ConvolutionLab(image)""",
    "fields": """
from cnnlib.models.lenet import lenet
from cnnlib.widgets import FieldLab
FieldLab(lenet(), image.reshape(1, 28, 28))""",
    "lesions": """
from cnnlib import plots, records
from cnnlib.widgets import LesionLab
taken = records.read_all("lesions")
singly = {arm: [[run.test[f"without {block}"] for block in range(15)] for run in runs] for arm, runs in taken.items()}
picture = plots.tolerance(singly, range(15), "the block", "Blocks taken out, recorded")
LesionLab(taken, picture, lambda name, blocks: 0.123 * len(blocks))""",
    "scaling": """
from cnnlib.experiments import scaling
from cnnlib.widgets import ScalingLab
def small_net(depth, width):
    return scaling.build(scaling.Arm(blocks=(depth, depth), channels=tuple(width * n for n in (8, 12, 24, 64))))
recorded = records.read_all("scaling")
known = {"base": ((1, 1, 14), recorded["base"]), "resolution": ((1, 1, 28), recorded["resolution"])}
ScalingLab(small_net, (1, 2, 4), (1, 2), (14, 18, 22, 28), known, 3.7, picture)""",
    "predict": """
from cnnlib.course.predict import predict
from ipywidgets import Output
asked = predict("A map of 28×28, a window of 3, no padding. How wide?", {"28": "Where would it end?", "26": "Why?"})
heard = Output()
@heard.capture()
def hear(change):
    print("kernel:", change["new"])
asked.observe(hear, "answer")
display(asked, heard)""",
}


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A JupyterLab that serves `folder`/notebooks; the address of its Lab. Settings and state are in `folder`, too."""
    notebooks, log = folder / "notebooks", folder / "jupyterlab.log"
    notebooks.mkdir(parents=True, exist_ok=True)
    environment = guarded_environment(**{name: str(folder / name.lower()) for name in FOLDERS}, OMP_NUM_THREADS="1")
    for name, settings in SETTINGS.items():
        file = folder / "jupyterlab_settings_dir" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += [f"--ServerApp.root_dir={notebooks}", "--IdentityProvider.token=", "--ServerApp.password="]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, start_new_session=True, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", process, log)
        yield f"http://127.0.0.1:{port}/lab"
    finally:
        process.terminate()  # it ends its kernels before itself
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Return once the server answers. RuntimeError with its log if it does not."""
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def notebook(sources: list[str]) -> nbformat.NotebookNode:
    """A notebook of these code cells."""
    return new_notebook(cells=[new_code_cell(source.strip()) for source in sources], metadata=KERNEL)


def cleared(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The chapter as nobody has run it: a number beside a cell, or a picture below it, is then from this run."""
    for cell in chapter.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return chapter


@dataclass
class Visit:
    """A notebook open in JupyterLab, and what has gone wrong there so far."""

    page: object
    faults: list[str] = field(default_factory=list)


@contextmanager
def visit(browser, lab: str, file: Path, contents: nbformat.NotebookNode, **options) -> Iterator[Visit]:
    """Write the notebook to `file`, open it, and wait until its kernel is idle."""
    nbformat.write(contents, file)
    context = browser.new_context(viewport={"width": 1300, "height": 1200}, **options)
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    seen = Visit(page)
    watch(page, seen.faults)
    page.goto(f"{lab}/tree/{file.name}?reset")
    page.locator(".jp-NotebookPanel").wait_for()
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.wait_for_function("document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')")
    # Before the page is connected, Run All would clear the outputs and run nothing.
    page.wait_for_function("""async () => {
      const sessions = await (await fetch("/api/sessions")).json();
      return sessions.length && sessions.every(({ kernel }) => kernel.connections && kernel.execution_state === "idle");
    }""")
    yield seen
    context.close()


def watch(page, faults: list[str]) -> None:
    """Note in `faults` what goes wrong in the page, and whom it asks but this machine."""
    page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
    page.on("console", lambda line: faults.append(f"console: {line.text}") if line.type == "error" else None)
    page.on("request", lambda request: faults.extend(foreign(request.url)))
    page.on("websocket", lambda socket: faults.extend(foreign(socket.url)))


def foreign(address: str) -> list[str]:
    """The address, if it is not this machine's."""
    parts = urlsplit(address)
    local = parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"
    return [] if local else [f"asked for {address}"]


def run_all(page) -> None:
    """Run all cells by the menu, and wait until each has its number, but for folded ones, which show none."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(r"""() => {
      const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map((node) => node.textContent);
      return prompts.some((text) => /\d/.test(text)) && prompts.every((text) => !text || /\[\d+\]/.test(text));
    }""")
