"""Widgets: pictures that answer when touched, in JupyterLab, in a deck, on a page, with or without a kernel."""

from cnnlib.widgets.convolution import ConvolutionLab
from cnnlib.widgets.fields import FieldLab
from cnnlib.widgets.lesions import LesionLab
from cnnlib.widgets.live import MIME, Live, bundle, text
from cnnlib.widgets.scaling import ScalingLab

__all__ = ["MIME", "ConvolutionLab", "FieldLab", "LesionLab", "Live", "ScalingLab", "bundle", "text"]
