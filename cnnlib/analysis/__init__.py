"""Measuring networks: arrays and records in, arrays and records out."""

from cnnlib.analysis.confusion import confusion_matrix, most_confused
from cnnlib.analysis.grad_cam import grad_cam
from cnnlib.analysis.gradients import gradient_norms
from cnnlib.analysis.memory import saved_bytes
from cnnlib.analysis.receptive_field import Field, receptive_field
from cnnlib.analysis.recording import recording
from cnnlib.analysis.summary import Cost, summary, table

__all__ = [
    "Cost",
    "Field",
    "confusion_matrix",
    "grad_cam",
    "gradient_norms",
    "most_confused",
    "receptive_field",
    "recording",
    "saved_bytes",
    "summary",
    "table",
]
