"""All networks of the course, by name."""

from cnnlib.models.lenet import lenet
from cnnlib.models.small import cnn, mlp

MODELS = {constructor.__name__: constructor for constructor in (mlp, cnn, lenet)}

__all__ = ["MODELS", *MODELS]
