"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.claims import beats
from cnnlib.course.checks import undisturbed
from cnnlib.course.exercises import ch03
from tests.course.answers import answer_tests, function, output

# steps_per_epoch


def steps_by_division_with_rest(images, batch_size):
    full, left_over = divmod(images, batch_size)
    return full + (left_over > 0)


STEPS_RIGHT = [
    steps_by_division_with_rest,
    lambda images, batch_size: math.ceil(images / batch_size),
    lambda images, batch_size: len(range(0, images, batch_size)),
    lambda images, batch_size: np.ceil(images / batch_size),
    lambda images, batch_size: torch.tensor(images / batch_size).ceil(),
]
STEPS_WRONG = [
    ("rounded down", lambda images, batch_size: images // batch_size),
    ("rounded down", lambda images, batch_size: max(1, images // batch_size)),
    ("one step too many", lambda images, batch_size: images // batch_size + 1),
    ("images counted", lambda images, batch_size: images),
    ("images multiplied", lambda images, batch_size: images * batch_size),
    ("not rounded", lambda images, batch_size: images / batch_size),
    ("nearest", lambda images, batch_size: round(images / batch_size)),
]

# mean_loss


def mean_weighted(losses, sizes):
    return sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes)


def mean_with_tensors(losses, sizes):
    return torch.tensor(losses) @ torch.tensor(sizes).float() / sum(sizes)


MEAN_RIGHT = [mean_weighted, mean_with_tensors, lambda losses, sizes: np.average(losses, weights=sizes)]
MEAN_WRONG = [
    ("mean of the batch means", lambda losses, sizes: sum(losses) / len(losses)),
    ("number of batches", lambda losses, sizes: sum(x * n for x, n in zip(losses, sizes)) / len(sizes)),
    ("not divided", lambda losses, sizes: sum(x * n for x, n in zip(losses, sizes))),
    ("batch means added", lambda losses, sizes: sum(losses) / sum(sizes)),
    ("last batch only", lambda losses, sizes: losses[-1]),
    ("go through both together", lambda losses, sizes: sum(losses * sizes) / sum(sizes)),
]

# standardize


def standardize_over(axes, centre=True, divide=True):
    def standardize(pixels):
        values = pixels.float()
        mean, deviation = values.mean(axes, keepdim=True), values.std(axes, keepdim=True)
        return (values - (mean if centre else 0)) / (deviation if divide else 1)

    return standardize


def standardize_after_255(pixels):
    values = pixels / 255
    return (values - values.mean((0, 2, 3), keepdim=True)) / values.std((0, 2, 3), correction=0, keepdim=True)


def standardize_in_numpy(pixels):
    values = pixels.numpy()
    return (values - values.mean((0, 2, 3), keepdims=True)) / values.std((0, 2, 3), keepdims=True)


def standardize_channel_by_channel(pixels):
    result = torch.empty(pixels.shape)
    for channel in range(pixels.shape[1]):
        values = pixels[:, channel].float()
        result[:, channel] = (values - values.mean()) / values.std()
    return result


def standardize_bytes(pixels):
    mean = pixels.float().mean((0, 2, 3), keepdim=True).to(torch.uint8)
    return (pixels - mean) / pixels.float().std((0, 2, 3), keepdim=True)


def standardize_by_variance(pixels):
    values = pixels / 255
    return (values - values.mean((0, 2, 3), keepdim=True)) / values.var((0, 2, 3), keepdim=True)


def standardize_in_mixed_units(pixels):
    values = pixels / 255
    return (values - pixels.float().mean((0, 2, 3), keepdim=True)) / values.std((0, 2, 3), keepdim=True)


def standardize_in_mixed_units_the_other_way(pixels):
    values = pixels / 255
    return (pixels - values.mean((0, 2, 3), keepdim=True)) / pixels.float().std((0, 2, 3), keepdim=True)


def from_0_to_1(pixels):
    low, high = pixels.float().amin((0, 2, 3), keepdim=True), pixels.float().amax((0, 2, 3), keepdim=True)
    return (pixels - low) / (high - low)


STANDARDIZE_RIGHT = [
    standardize_over((0, 2, 3)),
    standardize_after_255,
    standardize_in_numpy,
    standardize_channel_by_channel,
    lambda pixels: F.batch_norm(pixels.double(), None, None, training=True),
    lambda pixels: nn.BatchNorm2d(pixels.shape[1])(pixels.float()),
]
STANDARDIZE_WRONG = [
    ("each image by its own mean", standardize_over((1, 2, 3))),
    ("each image by its own mean", standardize_over((2, 3))),
    ("each place by its own mean", standardize_over((0,))),
    ("channels were not kept apart", standardize_over((0, 1, 2, 3))),
    ("channels were not kept apart", standardize_over((0, 1))),
    ("division by the deviation is missing", standardize_over((0, 2, 3), divide=False)),
    ("mean was not subtracted", standardize_over((0, 2, 3), centre=False)),
    ("divided by the variance", standardize_by_variance),
    ("wrapped round", standardize_bytes),
    ("whole numbers", lambda pixels: pixels),
    ("at most divided by 255", lambda pixels: pixels / 255),
    ("0.5 and 0.5", lambda pixels: (pixels / 255 - 0.5) / 0.5),
    ("MNIST's numbers", lambda pixels: (pixels / 255 - 0.1307) / 0.3081),
    ("brightest 1", from_0_to_1),
    ("brightest 1", lambda pixels: (pixels - pixels.min()) / (pixels.max() - pixels.min())),
    ("different units", standardize_in_mixed_units),
    ("different units", standardize_in_mixed_units_the_other_way),
    ("different units", lambda pixels: pixels / 255 - pixels.float().mean((0, 2, 3), keepdim=True)),
    ("different units", lambda pixels: (pixels / 255 - pixels.float().mean()) / pixels.float().std()),
    ("make floats", lambda pixels: (pixels - pixels.mean()) / 255),
    ("keepdim", lambda pixels: pixels - pixels.float().mean((0, 2, 3))),
]

# train_step: the right lines, and every usual way to lose, double or misplace one

FORWARD = "loss = F.cross_entropy(model(images), labels)"
EMPTY, BACK, STEP, NUMBER = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "return loss.item()"


def steps(*lines):
    return function("train_step(model, images, labels, optimizer)", *lines)


def forward(loss):
    return steps(f"loss = {loss}", EMPTY, BACK, STEP, NUMBER)


def train_step(model, images, labels, optimizer):
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_step_without_backward(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    for weight, gradient in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
        weight.grad = gradient
    optimizer.step()
    return loss.item()


TRAIN_STEP_RIGHT = [
    train_step,
    train_step_without_backward,
    steps(EMPTY, FORWARD, BACK, STEP, NUMBER),
    steps("model.zero_grad()", FORWARD, BACK, STEP, NUMBER),
    steps(FORWARD, EMPTY, BACK, STEP, "return loss.detach()"),
    forward("F.nll_loss(model(images).log_softmax(1), labels)"),
    forward("F.cross_entropy(model.forward(images), labels)"),
]
TRAIN_STEP_WRONG = [
    ("zero_grad is missing", steps(FORWARD, BACK, STEP, NUMBER)),
    ("zero_grad is missing", steps(FORWARD, BACK, STEP, EMPTY, NUMBER)),
    ("zero_grad between backward and step", steps(FORWARD, BACK, EMPTY, STEP, NUMBER)),
    ("step before backward", steps(FORWARD, EMPTY, STEP, BACK, NUMBER)),
    ("step before backward", steps(FORWARD, STEP, EMPTY, BACK, NUMBER)),
    ("step is missing", steps(FORWARD, EMPTY, BACK, NUMBER)),
    ("backward is missing", steps(FORWARD, EMPTY, STEP, NUMBER)),
    ("softmax before", forward("F.cross_entropy(model(images).softmax(1), labels)")),
    ("nll_loss of logits", forward("F.nll_loss(model(images), labels)")),
    ("sum over the batch", forward("F.cross_entropy(model(images), labels, reduction='sum')")),
    ("once more", steps(FORWARD, EMPTY, BACK, STEP, "return loss.item() / len(images)")),
    ("loss after the step", steps(FORWARD, EMPTY, BACK, STEP, FORWARD, NUMBER)),
    ("with its graph", steps(FORWARD, EMPTY, BACK, STEP, "return loss")),
    ("returns nothing", steps(FORWARD, EMPTY, BACK, STEP)),
    (".item() comes after", steps(FORWARD + ".item()", EMPTY, BACK, STEP, "return loss")),
    ("into evaluation mode", steps("model.eval()", FORWARD, EMPTY, BACK, STEP, NUMBER)),
    ("into evaluation mode", steps("model.eval()", FORWARD, "model.train()", EMPTY, BACK, STEP, NUMBER)),
    ("into evaluation mode", steps(FORWARD, EMPTY, BACK, STEP, "model.eval()", NUMBER)),
    ("into training mode", steps("model.train()", FORWARD, EMPTY, BACK, STEP, NUMBER)),
    ("cut by no_grad", steps("with torch.no_grad(): " + FORWARD, EMPTY, BACK, STEP, NUMBER)),
]

# accuracy

EVAL, LOGITS = "model.eval()", "with torch.no_grad(): logits = model(images)"
SHARE = "return (logits.argmax(1) == labels).float().mean().item()"


def judge(*lines):
    return function("accuracy(model, images, labels)", *lines)


def of_right_logits(share):
    return judge(EVAL, LOGITS, f"return {share}")


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        guesses = model(images).argmax(1)
    return (guesses == labels).float().mean().item()


@torch.inference_mode()
def accuracy_counted(model, images, labels):
    right = sum(int(model.train(False)(image[None]).argmax()) == int(label) for image, label in zip(images, labels))
    return right / len(labels)


def accuracy_and_back(model, images, labels):
    was_training = model.training
    share = accuracy(model, images, labels)
    model.train(was_training)
    return np.float32(share)


ACCURACY_RIGHT = [
    accuracy,
    accuracy_counted,
    accuracy_and_back,
    of_right_logits("(logits.max(1)[1] == labels).float().mean()"),
    judge(
        EVAL,
        LOGITS,
        "right = logits.argmax(1, keepdim=True)",
        "return (right == labels.view_as(right)).double().mean()",
    ),
]
ACCURACY_WRONG = [
    ("training mode", judge(LOGITS, SHARE)),
    ("training mode", judge("model.train()", LOGITS, SHARE)),
    ("training mode", judge(LOGITS, EVAL, SHARE)),
    ("graph is built", judge(EVAL, "logits = model(images)", SHARE)),
    ("graph is built", judge(EVAL, "logits = model(images).detach()", SHARE)),
    ("each row", of_right_logits("(logits.argmax(0) == labels).float().mean()")),
    ("argmax over the whole batch", of_right_logits("(logits.argmax() == labels).float().mean()")),
    ("counted", of_right_logits("(logits.argmax(1) == labels).sum().item()")),
    ("percent", of_right_logits("100 * (logits.argmax(1) == labels).float().mean().item()")),
    ("share of wrong", of_right_logits("(logits.argmax(1) != labels).float().mean()")),
    ("0, though some", of_right_logits("(logits.argmax(1) == labels).sum() // len(labels)")),
    ("0, though some", of_right_logits("(logits.max(1).values == labels).float().mean()")),
    ("everything with everything", of_right_logits("(logits.argmax(1, keepdim=True) == labels).float().mean()")),
    ("everything with everything", of_right_logits("(logits.argmax(1, keepdim=True) == labels).sum() / len(labels)")),
    ("number of classes", of_right_logits("(logits.argmax(1) == labels).sum() / logits.shape[1]")),
    ("truth value", of_right_logits("logits.argmax(1) == labels")),
    ("make floats", of_right_logits("(logits.argmax(1) == labels).mean()")),
    ("both sides of ==", of_right_logits("(logits.max(1) == labels).float().mean()")),
]

# transform


def transform(pixels):
    return (pixels / 255 - 0.1307) / 0.3081


def each_image_by_its_own_mean(pixels):
    values = pixels.float()
    return (values - values.mean((1, 2, 3), keepdim=True)) / values.std((1, 2, 3), keepdim=True)


def sometimes_mirrored(pixels):
    return torch.where(torch.rand(len(pixels), 1, 1, 1) < 0.5, transform(pixels), transform(pixels).flip(3))


def shifted_by_chance(pixels):
    return torch.roll(transform(pixels), int(torch.randint(-2, 3, ())), 3)


TRANSFORM_RIGHT = [
    transform,
    each_image_by_its_own_mean,
    lambda pixels: pixels / 127.5 - 1,
    lambda pixels: transform(pixels.numpy()),
    lambda pixels: -transform(pixels.double()),
    lambda pixels: nn.GroupNorm(1, 1)(pixels.float()),
]
TRANSFORM_WRONG = [
    ("too small", lambda pixels: pixels / 255),
    ("too small", lambda pixels: pixels / 255 - 0.1307),
    ("too large", lambda pixels: 20 * transform(pixels)),
    ("too large", lambda pixels: pixels.float()),
    ("mirrored", lambda pixels: transform(pixels).flip(3)),
    ("mirrored", sometimes_mirrored),
    ("chance", lambda pixels: transform(pixels) + torch.randn(pixels.shape)),
    ("chance", shifted_by_chance),
    ("batch at hand", lambda pixels: (pixels - pixels.float().mean()) / pixels.float().std()),
    ("another size", lambda pixels: F.pad(transform(pixels), [2, 2, 2, 2])),
    ("whole numbers", lambda pixels: pixels),
    ("batch at hand", lambda pixels: (pixels - pixels.float().mean(0)) / pixels.float().std(0, correction=0)),
    ("0 divided by 0", lambda pixels: pixels / pixels.float()),
    ("far from 0", lambda pixels: transform(pixels) + 9),
    ("make floats", lambda pixels: pixels - pixels.mean()),
]

ANSWERS = {
    "steps_per_epoch": (STEPS_RIGHT, STEPS_WRONG),
    "mean_loss": (MEAN_RIGHT, MEAN_WRONG),
    "standardize": (STANDARDIZE_RIGHT, STANDARDIZE_WRONG),
    "train_step": (TRAIN_STEP_RIGHT, TRAIN_STEP_WRONG),
    "accuracy": (ACCURACY_RIGHT, ACCURACY_WRONG),
    "transform": (TRANSFORM_RIGHT, TRANSFORM_WRONG),
}


TestAnswers = answer_tests(ch03.EXERCISES, ANSWERS, slow=True)


def test_a_loss_tensor_without_its_graph_passes_with_a_remark(capsys):
    assert "remark: the loss is a tensor" in output(capsys, TRAIN_STEP_RIGHT[4], "train_step")


@pytest.mark.slow
def test_the_number_of_threads_changes_no_word(capsys):
    threads = torch.get_num_threads()
    try:
        told = []
        for count in (1, 2):
            torch.set_num_threads(count)
            told.append([output(capsys, answers[0][0], name) for name, answers in ANSWERS.items()])
    finally:
        torch.set_num_threads(threads)
    assert told[0] == told[1]


@pytest.mark.slow
def test_standardising_beats_plain_pixels_from_other_seeds_too():
    with undisturbed():
        for seeds in ([3, 4, 5], [6, 7, 8], [9, 10, 11]):
            plain = [ch03.with_plain_pixels(seed) for seed in seeds]
            assert beats([ch03.trained(transform, seed) for seed in seeds], plain, by=0.05)


def test_a_transform_is_judged_without_the_test_part():
    learnt, apart = ch03.training_digits()
    train, _ = ch03.digits()
    rows = {tuple(row) for row in train.pixels.flatten(1).tolist()}
    assert all(tuple(row) in rows for part in (learnt, apart) for row in part.pixels.flatten(1).tolist())
