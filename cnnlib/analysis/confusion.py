"""Which classes a network takes for which."""

from collections.abc import Sequence

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: Sequence[str]) -> Tensor:
    """How often each label (row) got each prediction (column): whole numbers, classes×classes.

    `labels` and `predictions` are N whole numbers below the number of classes; else ValueError.
    """
    if predictions.shape != labels.shape or labels.ndim != 1:
        raise ValueError(
            f"{tuple(labels.shape)} labels and {tuple(predictions.shape)} predictions do not pair up: both are N whole "
            "numbers. Of N×classes logits take logits.argmax(1)."
        )
    if labels.is_floating_point() or predictions.is_floating_point():
        raise ValueError("Labels and predictions are whole numbers; of N×classes logits take logits.argmax(1).")
    size = len(classes)
    for name, values in (("label", labels), ("prediction", predictions)):
        if len(values) and not 0 <= values.min() <= values.max() < size:
            raise ValueError(
                f"The {name}s run from {int(values.min())} to {int(values.max())}, but there are {size} classes: "
                f"0 to {size - 1}."
            )
    return torch.bincount(labels.long() * size + predictions.long(), minlength=size * size).reshape(size, size)


def most_confused(matrix: Tensor, classes: Sequence[str], count: int = 3) -> list[tuple[str, str, int]]:
    """The commonest mistakes as (label, prediction, how often), most often first; at most `count`, and none of zero."""
    mistakes = matrix.clone().fill_diagonal_(0).flatten()
    times, places = mistakes.sort(descending=True, stable=True)
    return [
        (classes[place // len(classes)], classes[place % len(classes)], number)
        for number, place in zip(times[:count].tolist(), places[:count].tolist())
        if number
    ]
