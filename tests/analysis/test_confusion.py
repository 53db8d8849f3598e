import pytest
import torch

from cnnlib.analysis import confusion_matrix, most_confused

CLASSES = ("cat", "dog", "frog")
LABELS = torch.tensor([0, 0, 0, 1, 1, 2])
PREDICTIONS = torch.tensor([0, 1, 1, 1, 0, 2])


def test_rows_are_labels_and_columns_predictions():
    assert confusion_matrix(LABELS, PREDICTIONS, CLASSES).tolist() == [[1, 2, 0], [1, 1, 0], [0, 0, 1]]


def test_every_image_is_counted_once_and_the_diagonal_is_the_accuracy():
    torch.manual_seed(0)
    labels, predictions = torch.randint(3, (2, 500))
    matrix = confusion_matrix(labels, predictions, CLASSES)
    assert matrix.sum() == 500 and matrix.trace() == (labels == predictions).sum()
    assert torch.equal(matrix.sum(1), labels.bincount()) and torch.equal(matrix.sum(0), predictions.bincount())


def test_classes_that_never_occur_have_rows_of_zeros():
    assert confusion_matrix(LABELS, PREDICTIONS, (*CLASSES, "ship")).shape == (4, 4)
    assert not confusion_matrix(LABELS[:0], PREDICTIONS[:0], CLASSES).any()


def test_the_commonest_mistakes_come_first_and_what_never_happens_is_left_out():
    matrix = confusion_matrix(LABELS, PREDICTIONS, CLASSES)
    assert most_confused(matrix, CLASSES) == [("cat", "dog", 2), ("dog", "cat", 1)]
    assert most_confused(matrix, CLASSES, count=1) == [("cat", "dog", 2)]
    assert most_confused(torch.eye(3, dtype=torch.int64), CLASSES) == []
    assert matrix.trace() == 3  # asking changes nothing


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        (LABELS, torch.rand(6, 3), "logits.argmax"),
        (LABELS, PREDICTIONS[:5], "do not pair up"),
        (LABELS, PREDICTIONS + 0.5, "whole numbers"),
        (LABELS + 1, PREDICTIONS, "labels run from 1 to 3, but there are 3 classes"),
        (LABELS, PREDICTIONS - 1, "predictions run from -1 to 1"),
    ],
)
def test_what_does_not_fit_is_explained(labels, predictions, words):
    with pytest.raises(ValueError, match=words):
        confusion_matrix(labels, predictions, CLASSES)
