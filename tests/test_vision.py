"""torchvision is importable, whether or not its compiled part fits this torch."""

import subprocess
import sys

import pytest


def python(code: str, *path: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {list(path)!r}\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_torchvision_serves_models_after_a_plain_import_that_may_have_failed():
    done = python(
        """
try:
    import torchvision
except RuntimeError as error:
    assert "torchvision::nms" in str(error)
import torch
from cnnlib import vision
module = vision.torchvision()
import torchvision
assert torchvision is module is vision.torchvision()
from torchvision.transforms import v2
with torch.no_grad():
    print(module.models.resnet18().eval()(v2.functional.resize(torch.zeros(1, 3, 64, 64), 32)).shape[1])
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1000"


@pytest.mark.slow
def test_the_vision_room_does_not_import_torchvision_by_itself():
    done = python("import cnnlib.vision, cnnlib.datasets; print('torchvision' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.slow
def test_any_other_failure_is_not_hidden(tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('built for another torch')", encoding="utf-8")
    done = python("from cnnlib.vision import torchvision; torchvision()", str(tmp_path))
    assert done.stderr.strip().endswith("RuntimeError: built for another torch")
