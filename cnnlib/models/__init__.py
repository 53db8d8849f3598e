"""All networks of the course, by name. A family is one file, and one line here."""

from types import FunctionType

from cnnlib.models.lenet import *
from cnnlib.models.small import *

MODELS = {name: value for name, value in list(globals().items()) if isinstance(value, FunctionType)}

__all__ = ["MODELS", *MODELS]
