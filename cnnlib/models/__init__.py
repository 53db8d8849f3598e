"""All networks of the course, by name. A family is one file, and one line here."""

from types import FunctionType

from cnnlib.models.alexnet import *
from cnnlib.models.densenet import *
from cnnlib.models.efficientnet import *
from cnnlib.models.googlenet import *
from cnnlib.models.inception_v2 import *
from cnnlib.models.inception_v3 import *
from cnnlib.models.lenet import *
from cnnlib.models.mnasnet import *
from cnnlib.models.nin import *
from cnnlib.models.resnet import *
from cnnlib.models.resnet_cifar import *
from cnnlib.models.small import *
from cnnlib.models.vgg import *
from cnnlib.models.zfnet import *

MODELS = {name: value for name, value in list(globals().items()) if isinstance(value, FunctionType)}

__all__ = ["MODELS", *MODELS]
