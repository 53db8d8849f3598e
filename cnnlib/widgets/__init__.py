"""Widgets: pictures and questions that answer when touched, in JupyterLab, in a deck, on a page, kernel or none."""

from cnnlib.widgets.convolution import ConvolutionLab
from cnnlib.widgets.fields import FieldLab
from cnnlib.widgets.lesions import LesionLab
from cnnlib.widgets.live import MIME, Live, bundle, text
from cnnlib.widgets.predict import Prediction
from cnnlib.widgets.scaling import ScalingLab

__all__ = ["MIME", "ConvolutionLab", "FieldLab", "LesionLab", "Live", "Prediction", "ScalingLab", "bundle", "text"]
