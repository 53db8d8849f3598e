import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cnnlib.publish.pairs import GUARD, guarded_environment

REFUSED = "the network is blocked here: a chapter must run without it (it asked for {})"


def run(code: str, folder: Path = Path(), **extra: str) -> str:
    """What a guarded Python prints; its errors are the test's."""
    process = subprocess.run(
        [sys.executable, "-c", code], env=guarded_environment(**extra), cwd=folder, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


@pytest.mark.parametrize(
    ("attempt", "host"),
    [
        ("socket.create_connection(('192.0.2.1', 80), timeout=1)", "192.0.2.1"),
        ("socket.create_connection(('example.org', 80), timeout=1)", "example.org"),
        ("socket.socket().connect(('example.org', 80))", "example.org"),
        ("socket.socket().connect_ex(('192.0.2.1', 80))", "192.0.2.1"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))", "192.0.2.1"),
        ("socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))", "2001:db8::1"),
        ("socket.getaddrinfo(host='127.example.org', port=80)", "127.example.org"),
        ("socket.getaddrinfo(b'example.org', 80)", "example.org"),
        ("socket.gethostbyname('example.org')", "example.org"),
        ("urllib.request.urlopen('http://example.org')", "example.org"),
    ],
)
def test_no_address_but_this_machine_is_reached(attempt: str, host: str):
    code = f"import socket, urllib.request\ntry:\n    {attempt}\nexcept OSError as error:\n    print(error)"
    assert REFUSED.format(host) in run(code)


def test_this_machine_is_reached_by_number_by_name_and_by_local_socket(tmp_path: Path):
    code = """
import socket
for name in ("127.0.0.1", "localhost"):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection((name, server.getsockname()[1])) as client:
            there, _ = server.accept()
            client.sendall(b"to")
            there.sendall(b"fro")
            print(there.recv(9).decode(), client.recv(9).decode())
            there.close()
one, other = socket.socketpair()
one.sendall(b"unix")
print(other.recv(9).decode())
if hasattr(socket, "AF_UNIX"):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("here")
        server.listen()
        client.connect("here")
"""
    assert run(code, tmp_path).split("\n") == ["to fro", "to fro", "unix"]


def test_processes_started_inside_are_guarded_too():
    inner = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    code = (
        f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {inner!r}], stderr=-1).stderr.decode())"
    )
    assert REFUSED.format("192.0.2.1") in run(code)


def test_the_machines_own_sitecustomize_still_runs(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import os\nos.environ['HERE_FIRST'] = 'yes'\n", encoding="utf-8")
    path = f"{GUARD}{os.pathsep}{tmp_path}"
    assert run("import os; print(os.environ['HERE_FIRST'])", PYTHONPATH=path) == "yes"


def test_the_environment_puts_the_guard_first_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/one", str(GUARD), "/two"]))
    environment = guarded_environment(CNNLIB_SEED="100")
    assert environment["PYTHONPATH"] == os.pathsep.join([str(GUARD), "/one", "/two"])
    assert environment["CNNLIB_SEED"] == "100"


@pytest.mark.slow
def test_a_chapter_under_pytest_has_no_network_and_its_seconds_are_shown(tmp_path: Path):
    attempt = "socket.create_connection(('192.0.2.1', 80), timeout=1)"
    code = f"import socket\ntry:\n    {attempt}\nexcept OSError as error:\n    print(error)"
    output = nbformat.v4.new_output("stream", text=REFUSED.format("192.0.2.1") + "\n")
    cell = nbformat.v4.new_code_cell(code, execution_count=1, outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "09_tiny.ipynb")
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    configuration = Path(__file__).parents[2] / "pyproject.toml"
    command = ["pytest", "--nbval", "-c", str(configuration), "--rootdir", str(tmp_path), str(tmp_path)]
    environment = guarded_environment(PYTHONPATH="")
    shown = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, env=environment, stdout=-1, text=True).stdout
    assert "1 passed in" in shown, shown
    assert "of 120 s" in shown
