"""What a reader works with in a chapter: predictions, progress, checked exercises."""

from cnnlib.course.checks import check
from cnnlib.course.predict import answered, predict
from cnnlib.course.progress import progress

__all__ = ["answered", "check", "predict", "progress"]
