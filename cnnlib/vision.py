"""torchvision, also beside a torch that its compiled part was not built for."""

import importlib
import sys
from types import ModuleType

import torch

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # an operator lives as long as the library that declared it


def torchvision() -> ModuleType:
    """The torchvision module; afterwards a plain `import torchvision` works as well.

    Beside a CPU-only torch the wheel from PyPI cannot load its compiled part, and its import stops at the missing
    operator `nms`. Models, transforms and data sets need none of that part, so the operator is declared here, without
    an implementation, and the import repeated. Raises ImportError where torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error) or _declared:
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declared.append(torch.library.Library("torchvision", "DEF"))
    for operator in OPERATORS:
        _declared[0].define(operator)
    return importlib.import_module("torchvision")
