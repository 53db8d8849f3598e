"""Exercises of chapter 03: batches, means, standardising, the training step, evaluation, a transform of one's own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import SGD
from torch.utils.data import DataLoader

from cnnlib.claims import beats
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.data import Batches, Images
from cnnlib.datasets import digits
from cnnlib.training import Diverged, Recipe, evaluate, train

SEEDS = (0, 1, 2)


# steps_per_epoch: the batches of a real pass are counted.


def batches_of_a_pass(images: int, batch_size: int) -> int:
    return sum(1 for _ in DataLoader(range(images), batch_size))


def even(generator: Generator) -> tuple[int, int]:
    size = between(2, 9, generator)
    return size * between(1, 9, generator), size


def uneven(generator: Generator) -> tuple[int, int]:
    size = between(3, 9, generator)
    return size * between(1, 9, generator) + between(1, size - 1, generator), size


STEPS_PER_EPOCH = Exercise(
    signature="steps_per_epoch(images, batch_size)",
    properties=(
        Property("batches that are all full", even, batches_of_a_pass),
        Property("a short last batch is a step too", uneven, batches_of_a_pass),
        Property("fewer images than a batch holds", lambda g: (between(1, 5, g), between(6, 9, g)), batches_of_a_pass),
        Property("60,000 images in batches of 64", lambda g: (60_000, 64), batches_of_a_pass, trials=1),
    ),
    mistakes=(
        Mistake(
            "rounded down, the short last batch is forgotten",
            "10 images in batches of 4: after two full batches, two images have not been seen yet.",
            answers(lambda images, batch_size: images // batch_size),
        ),
        Mistake(
            "one step too many when the batches are all full",
            "12 images in batches of 4 leave nothing over after the third batch.",
            answers(lambda images, batch_size: images // batch_size + 1),
        ),
        Mistake(
            "images counted, not batches",
            "the optimiser moves once a batch, however many images the batch holds.",
            answers(lambda images, batch_size: images),
        ),
        Mistake(
            "images multiplied by the batch size",
            "larger batches make fewer steps, not more.",
            answers(lambda images, batch_size: images * batch_size),
        ),
        Mistake(
            "the share is not rounded",
            "no loader gives half a step: what becomes of the short last batch?",
            answers(lambda images, batch_size: images / batch_size),
        ),
        Mistake(
            "rounded to the nearest number",
            "a last batch of one image is a step as well.",
            answers(lambda images, batch_size: round(images / batch_size)),
        ),
    ),
    hint="write down the batches of 10 images in batches of 4, one by one, and count them.",
    remarks=(
        Mistake(
            "not a plain number",
            "a number of steps is an int; range() would refuse this one.",
            lambda got, *_: not isinstance(got, int | np.integer),
        ),
    ),
)


# mean_loss: the loss of every single image is written down.


def mean_over_images(losses: list[float], sizes: list[int]) -> float:
    return fmean(loss for i, loss in enumerate(losses) for _ in range(sizes[i]))


def batch_losses(sizes: list[int], generator: Generator) -> tuple[list[float], list[int]]:
    return [round(float(x), 2) for x in 3 * torch.rand(len(sizes), generator=generator)], sizes


def short_last(generator: Generator) -> tuple[list[float], list[int]]:
    return batch_losses([8] * between(2, 4, generator) + [between(1, 4, generator)], generator)


def any_sizes(generator: Generator) -> tuple[list[float], list[int]]:
    return batch_losses([between(1, 20, generator) for _ in range(between(2, 5, generator))], generator)


def total_loss(losses: list[float], sizes: list[int]) -> float:
    return mean_over_images(losses, sizes) * sum(sizes)


MEAN_LOSS = Exercise(
    signature="mean_loss(losses, sizes)",
    properties=(
        Property("batches of one size", lambda g: batch_losses([4] * between(2, 4, g), g), mean_over_images),
        Property("a short last batch weighs less", short_last, mean_over_images),
        Property("batches of any size", any_sizes, mean_over_images),
        Property("0 to 9 in batches of 4, 4, 2", lambda g: ([1.5, 5.5, 8.5], [4, 4, 2]), mean_over_images, trials=1),
    ),
    mistakes=(
        Mistake(
            "the mean of the batch means: a batch of 1 weighs as much as a batch of 8",
            "how much does one image of the short batch count for, and how much one of a full batch?",
            answers(lambda losses, sizes: fmean(losses)),
        ),
        Mistake(
            "divided by the number of batches, not of images",
            "the sum is over images; so is the count.",
            answers(lambda losses, sizes: total_loss(losses, sizes) / len(losses)),
        ),
        Mistake(
            "the sum is not divided",
            "a mean over ten equal losses is that loss.",
            answers(total_loss),
        ),
        Mistake(
            "batch means added, but divided by the number of images",
            "a batch mean stands for all images of its batch: undo the division that made it.",
            answers(lambda losses, sizes: sum(losses) / sum(sizes)),
        ),
        Mistake(
            "the loss of the last batch only",
            "the mean is over the whole pass.",
            answers(lambda losses, sizes: losses[-1]),
        ),
    ),
    hint="how large is the sum of the losses of all images in one batch?",
    errors={"can't multiply sequence": "losses and sizes are lists: go through both together, one batch at a time."},
)


# standardize: mean, deviation and straightness of what comes out are measured.


def colour_bytes(generator: Generator) -> tuple[Tensor]:
    """A few small images: each channel has brightness and contrast of its own, and so have images and places."""
    low = torch.tensor([10.0, 60.0, 120.0])[:, None, None]
    contrast = torch.tensor([100.0, 40.0, 70.0])[:, None, None]
    image, place = torch.rand(6, 1, 1, 1, generator=generator), torch.rand(1, 3, 5, 4, generator=generator)
    noise = torch.rand(6, 3, 5, 4, generator=generator)
    return ((low + contrast * (image + place + noise) / 3).to(torch.uint8),)


def measured(standardize: Callable, pixels: Tensor) -> dict[str, Any]:
    """What can be seen of standardised images without knowing how they were made."""
    before, result = pixels.double(), torch.as_tensor(standardize(pixels)).detach()
    after = result.double()
    floats = result.dtype.is_floating_point
    if after.shape != before.shape:
        return {"shape": tuple(after.shape), "floats": floats, "images": None, "bytes": before}
    lines = [np.polyfit(x.flatten(), y.flatten(), 1, full=True)[1] for x, y in zip(before.unbind(1), after.unbind(1))]
    return {
        "shape": tuple(after.shape),
        "floats": floats,
        "mean of each channel": [round(float(channel.mean()), 2) for channel in after.unbind(1)],
        "deviation of each channel": [round(float(channel.std()), 2) for channel in after.unbind(1)],
        # Squared distances from the best straight line, summed: 0 if equal bytes of a channel became equal floats.
        "distance from a straight line": [round(float(rest.sum()), 2) for rest in lines],
        "images": after,
        "bytes": before,
    }


def recognised(test: Callable[[Tensor, Tensor], bool]) -> Callable[..., bool]:
    """Recognises images, whatever property they fail, by a test of (what came out, the bytes)."""
    return lambda got, pixels: got["images"] is not None and test(got["images"], got["bytes"])


def centred(parts: list[Tensor]) -> bool:
    return all(abs(float(part.mean())) < 0.01 for part in parts)


def wrapped_round(after: Tensor, before: Tensor) -> bool:
    """Whether dark pixels came out brighter than bright ones, all else in order: bytes have no negative numbers."""
    x, y = before[:, 0].flatten(), after[:, 0].flatten()
    y = y[x.argsort()]
    return int((y.diff() < -1e-6).sum()) == 1


def spread(images: Tensor) -> Tensor:
    return torch.stack([channel.std() for channel in images.unbind(1)])


def middle(images: Tensor) -> Tensor:
    return torch.stack([channel.mean() for channel in images.unbind(1)])


def mixed_units(after: Tensor, before: Tensor) -> bool:
    """Whether the byte that became 0 in each channel is 255 times the mean, or a 255th of it."""
    zero = middle(before) - middle(after) * spread(before) / spread(after)
    means = middle(before), before.mean().expand(len(zero))
    return any(np.allclose(zero, scale * mean, rtol=0.02) for scale in (255, 1 / 255) for mean in means)


STANDARDIZE = Exercise(
    signature="standardize(pixels)",
    properties=(
        Property(
            "floats of the same shape",
            colour_bytes,
            lambda pixels: {"shape": tuple(pixels.shape), "floats": True},
            measured,
        ),
        Property("mean 0 in each channel", colour_bytes, lambda _: {"mean of each channel": [0.0] * 3}, measured),
        Property(
            "deviation 1 in each channel", colour_bytes, lambda _: {"deviation of each channel": [1.0] * 3}, measured
        ),
        Property(
            "equal bytes of a channel become equal floats, in every image and place",
            colour_bytes,
            lambda _: {"distance from a straight line": [0.0] * 3},
            measured,
        ),
    ),
    mistakes=(
        Mistake(
            "bytes wrapped round: 3 - 5 is 254 among bytes",
            "make floats of the bytes before you subtract.",
            recognised(wrapped_round),
        ),
        Mistake(
            "whole numbers came out",
            "make floats of the bytes first.",
            lambda got, pixels: got["images"] is not None and not got["floats"],
        ),
        Mistake(
            "each image by its own mean",
            "one mean a channel, over all images: a dark image shall stay darker than a bright one.",
            recognised(lambda after, before: centred(list(after))),
        ),
        Mistake(
            "each place by its own mean",
            "one mean a channel, over all places: the corner of a digit is black, and shall stay so.",
            recognised(lambda after, before: centred(list(after.flatten(1).T))),
        ),
        Mistake(
            "the channels were not kept apart: one mean for all of them",
            "over which axes is the mean? Channels have axis 1.",
            recognised(lambda after, before: centred([after]) and not centred(list(after.unbind(1)))),
        ),
        Mistake(
            "the division by the deviation is missing",
            "the mean is 0 now; how large is the deviation?",
            recognised(
                lambda after, before: (
                    centred(list(after.unbind(1)))
                    and any(agree(spread(after), spread(before) / scale) for scale in (1, 255, 256, 127.5))
                )
            ),
        ),
        Mistake(
            "divided by the variance, not by its root",
            "the deviation has the unit of the pixels, the variance its square.",
            recognised(
                lambda after, before: any(
                    np.allclose(spread(after) * spread(before), scale, rtol=0.02) for scale in (1, 255)
                )
            ),
        ),
        Mistake(
            "mean and pixels in different units: one in bytes, the other divided by 255",
            "divide by 255 before you take the mean, or not at all.",
            recognised(mixed_units),
        ),
        Mistake(
            "the mean was not subtracted",
            "the deviation is right; where is the middle?",
            recognised(lambda after, before: np.allclose(spread(after), 1, rtol=0.02)),
        ),
        Mistake(
            "mean and deviation are still those of the bytes, at most divided by 255",
            "subtract the mean, then divide by the deviation.",
            recognised(lambda after, before: any(agree(after, before / scale) for scale in (1, 255, 256))),
        ),
        Mistake(
            "0.5 and 0.5 in place of mean and deviation",
            "they map 0 to 255 onto -1 to 1, whatever the images; what are mean and deviation of these?",
            recognised(lambda after, before: agree(after, (before / 255 - 0.5) / 0.5)),
        ),
        Mistake(
            "0.1307 and 0.3081 in place of mean and deviation",
            "these are MNIST's numbers; measure those of the images you are given.",
            recognised(lambda after, before: agree(after, (before / 255 - 0.1307) / 0.3081)),
        ),
        Mistake(
            "the darkest became 0 and the brightest 1",
            "smallest and largest value hang on single pixels; mean and deviation are wanted.",
            recognised(lambda after, before: agree([after.min(), after.max()], [0, 1])),
        ),
    ),
    hint="which axes of N×C×H×W does one channel's mean run over? Print the shape of your mean.",
    errors={
        "floating point": "bytes have no mean or deviation in torch: make floats of them first.",
        "must match the size": "to fit N×C×H×W the mean of each channel needs the shape 1×C×1×1: keepdim=True.",
        "could not be broadcast": "to fit N×C×H×W the mean of each channel needs the shape 1×C×1×1: keepdims=True.",
    },
)


# train_step: the step is written out with autograd.grad; a watched optimiser notes what happens in which order.


class Watched(SGD):
    """Plain SGD that keeps a diary: zero_grad, backward, step."""

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        super().__init__(model.parameters(), learning_rate)
        self.diary: list[str] = []
        next(model.parameters()).register_hook(lambda _: self.diary.append("backward"))

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.diary.append("zero_grad")
        super().zero_grad(set_to_none)

    def step(self, closure: Callable | None = None) -> Any:
        self.diary.append("step")
        return super().step(closure)


def drawn(model: nn.Sequential, generator: Generator) -> nn.Sequential:
    """The model with weights from the generator, and nothing from the global seed."""
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.5, generator=generator)
    return model


def fresh(generator: Generator) -> tuple[nn.Sequential, Tensor, Tensor, Watched]:
    """A small net, a batch, an optimiser."""
    model = drawn(nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 4)), generator)
    images = torch.randn(5, 1, 3, 4, generator=generator)
    labels = torch.randint(4, (5,), generator=generator)
    return model, images, labels, Watched(model, between(1, 9, generator) / 10)


def stale(generator: Generator) -> tuple[nn.Sequential, Tensor, Tensor, Watched]:
    """The same, with a gradient left over from something else."""
    model, *rest = fresh(generator)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return model, *rest


def either_mode(generator: Generator) -> tuple[nn.Sequential, Tensor, Tensor, Watched]:
    """The same, in training mode or in evaluation mode."""
    model, *rest = fresh(generator)
    return model.train(between(0, 1, generator) == 1), *rest


def mode(model: nn.Module) -> str:
    return "training" if model.training else "evaluation"


def flat(tensors: Any) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def surprise(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of -log p(label), from the definition."""
    return (logits.exp().sum(1).log() - logits[torch.arange(len(labels)), labels]).mean()


def descended(model: nn.Module, images: Tensor, labels: Tensor, optimizer: Watched, left_over: float = 0) -> dict:
    """Loss and weights after one step of plain SGD; the wrong one adds `left_over` times what lies in .grad."""
    weights = list(model.parameters())
    before = surprise(model(images), labels)
    gradients = torch.autograd.grad(before, weights)
    for weight, gradient in zip(weights, gradients):
        old = left_over * weight.grad if weight.grad is not None else 0
        weight.data.sub_(optimizer.param_groups[0]["lr"] * (gradient + old))
    return {"loss": before.item(), "weights": flat(weights)}


def descended_twice(*arguments: Any) -> dict:
    descended(*arguments)
    return descended(*arguments)


def stepped(train_step: Callable, model: nn.Module, images: Tensor, labels: Tensor, optimizer: Watched) -> dict:
    """What one call of the reader's function did and returned."""
    before, modes = flat(model.parameters()), []
    # The first layer listens, not the net: a reader may call model.forward.
    with model[0].register_forward_pre_hook(lambda *_: modes.append(mode(model))):
        loss = train_step(model, images, labels, optimizer)
    return {
        "loss": loss,
        "weights": flat(model.parameters()),
        "moved": not torch.equal(before, flat(model.parameters())),
        "loss drags its graph along": isinstance(loss, Tensor) and loss.requires_grad,
        "diary": optimizer.diary,
        "mode in the step": modes[0] if modes else "the net was not called",
        "mode after it": mode(model),
    }


def stepped_twice(train_step: Callable, *arguments: Any) -> dict:
    stepped(train_step, *arguments)
    return stepped(train_step, *arguments)


def loss_is(form: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., bool]:
    """Recognises another function of logits and labels by the loss."""
    return lambda got, model, images, labels, _: agree(got["loss"], form(model(images), labels))


def first(diary: list[str], word: str) -> int:
    """When it happened first; what never happened comes after all else."""
    return diary.index(word) if word in diary else len(diary)


TRAIN_STEP = Exercise(
    signature="train_step(model, images, labels, optimizer)",
    properties=(
        Property(
            "the loss is the cross-entropy before the step", fresh, lambda *a: {"loss": descended(*a)["loss"]}, stepped
        ),
        Property(
            "the weights go one step against the gradient",
            fresh,
            lambda *a: {"weights": descended(*a)["weights"]},
            stepped,
        ),
        Property(
            "a gradient left over changes nothing", stale, lambda *a: {"weights": descended(*a)["weights"]}, stepped
        ),
        Property("a second step as well", fresh, descended_twice, stepped_twice),
        Property("the loss is a plain number", fresh, lambda *a: {"loss drags its graph along": False}, stepped),
        Property(
            "the net's mode is left to the caller",
            either_mode,
            lambda model, *_: {"mode in the step": mode(model), "mode after it": mode(model)},
            stepped,
        ),
    ),
    mistakes=(
        Mistake(
            "softmax before the cross-entropy",
            "cross_entropy takes logits: it does the softmax itself.",
            loss_is(lambda logits, labels: surprise(logits.softmax(1), labels)),
        ),
        Mistake(
            "nll_loss of logits",
            "nll_loss wants log-probabilities; cross_entropy takes the logits.",
            loss_is(lambda logits, labels: -logits[torch.arange(len(labels)), labels].mean()),
        ),
        Mistake(
            "the sum over the batch, not the mean",
            "with the sum, a larger batch makes a longer step.",
            loss_is(lambda logits, labels: len(labels) * surprise(logits, labels)),
        ),
        Mistake(
            "the loss after the step",
            "return the loss that was differentiated, not one computed afresh.",
            lambda got, model, images, labels, optimizer: (
                descended(model, images, labels, optimizer) and agree(got["loss"], surprise(model(images), labels))
            ),
        ),
        Mistake(
            "the loss divided by the size of the batch once more",
            "cross_entropy has taken the mean already.",
            loss_is(lambda logits, labels: surprise(logits, labels) / len(labels)),
        ),
        Mistake(
            "zero_grad is missing: the gradient adds to what was there",
            "backward adds to .grad. Who empties it?",
            lambda got, model, *rest: (
                next(model.parameters()).grad is not None
                and agree(got["weights"], descended(model, *rest, left_over=1)["weights"])
            ),
        ),
        Mistake(
            "backward is missing: there is no gradient to follow",
            "who puts gradients into .grad?",
            lambda got, *_: "backward" not in got["diary"],
        ),
        Mistake(
            "zero_grad between backward and step: the gradient is gone before it is used",
            "empty the old gradient before the new one is computed.",
            lambda got, *_: (
                first(got["diary"], "backward") < first(got["diary"], "zero_grad") < first(got["diary"], "step")
            ),
        ),
        Mistake(
            "step before backward: it uses a gradient that is not this batch's",
            "the optimiser can only follow a gradient that backward has left in .grad.",
            lambda got, *_: first(got["diary"], "step") < first(got["diary"], "backward"),
        ),
        Mistake(
            "step is missing: the weights stay where they were",
            "backward only computes; who moves the weights?",
            lambda got, *_: not got["moved"] and "step" not in got["diary"] and "backward" in got["diary"],
        ),
        Mistake(
            "the loss is returned with its graph",
            "a list of such losses keeps every graph in memory; .item() gives the number.",
            lambda got, *_: got["loss drags its graph along"],
        ),
        Mistake(
            "the net was put into evaluation mode",
            "then dropout does nothing and batch norm learns nothing: leave the mode to the caller, as you find it.",
            lambda got, model, *_: model.training and "evaluation" in (got["mode in the step"], got["mode after it"]),
        ),
        Mistake(
            "the net was put into training mode",
            "who fine-tunes with batch norm held still calls eval() before the step: leave the mode to the caller.",
            lambda got, model, *_: not model.training and "training" in (got["mode in the step"], got["mode after it"]),
        ),
    ),
    hint="forward, loss, zero_grad, backward, step: print the first weight and its .grad after each of the five.",
    errors={
        "does not require grad": "backward needs the graph of the loss: was it cut by no_grad, detach or item?",
        "has no attribute 'backward'": "backward is a method of the loss tensor: .item() comes after it.",
    },
    remarks=(
        Mistake(
            "not a plain number",
            "the loss is a tensor without dimensions; .item() makes a plain number of it.",
            lambda got, *_: isinstance(got, dict) and isinstance(got.get("loss"), Tensor),
        ),
    ),
)


# accuracy: every image is judged alone; the net notes in which mode it ran, and whether a graph was built.


class Listened(nn.Sequential):
    """A small net with dropout and batch norm that notes how it is used."""

    def __init__(self, classes: int) -> None:
        layers = nn.Flatten(), nn.Linear(9, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.Linear(6, classes)
        super().__init__(*layers)
        self.training_mode = self.graph = False

    def forward(self, x: Tensor) -> Tensor:
        self.training_mode |= any(layer.training for layer in self)
        logits = super().forward(x)
        self.graph |= logits.requires_grad
        return logits


def judged(generator: Generator) -> tuple[Listened, Tensor, Tensor]:
    """A net, more images than classes, and labels of which it gets a part right."""
    model = drawn(Listened(5), generator)
    images = torch.randn(between(6, 12, generator), 1, 3, 3, generator=generator)
    labels = torch.randint(5, (len(images),), generator=generator)
    labels[::3] = torch.tensor(alone(model, images[::3]))
    return Listened.train(model), images, labels


def alone(model: nn.Module, images: Tensor) -> list[int]:
    """The net's answers, image by image: no batch mates, no dropout."""
    rows = [model.eval()(image[None])[0].tolist() for image in images]
    return [row.index(max(row)) for row in rows]


def share(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    return fmean(answer == label for answer, label in zip(alone(model, images), labels.tolist()))


def used(accuracy: Callable, model: Listened, images: Tensor, labels: Tensor) -> dict[str, Any]:
    """The reader's accuracy, again in the same breath, and what the net noticed."""
    model.training_mode = model.graph = False
    before = model[2].running_mean.clone()
    return {
        "accuracy": accuracy(model, images, labels),
        "asked again": accuracy(model, images, labels),
        "batch norm learnt from the images": not torch.equal(before, model[2].running_mean),
        "training mode": model.training_mode,
        "a graph was built": model.graph,
    }


def all_right(generator: Generator) -> tuple[Listened, Tensor, Tensor]:
    model, images, _ = judged(generator)
    labels = torch.tensor(alone(model, images))
    return Listened.train(model), images, labels


def accuracy_is(wrong: Callable[..., Any]) -> Callable[..., bool]:
    """Recognises another number computed of the right logits."""
    return lambda got, model, images, labels: agree(got["accuracy"], wrong(model.eval()(images), labels))


ACCURACY = Exercise(
    signature="accuracy(model, images, labels)",
    properties=(
        Property("the share of right answers", judged, lambda *a: {"accuracy": share(*a)}, used),
        Property("1 when all are right", all_right, lambda *_: {"accuracy": 1.0}, used),
        Property(
            "the same when asked again, and the net has learnt nothing from it",
            judged,
            lambda *a: {"asked again": share(*a), "batch norm learnt from the images": False},
            used,
        ),
        Property("no graph is built", judged, lambda *_: {"a graph was built": False}, used, trials=1),
    ),
    mistakes=(
        Mistake(
            "the net is in training mode",
            "dropout and batch norm work in another way while training: which call puts the net into evaluation mode?",
            lambda got, *_: got["training mode"],
        ),
        Mistake(
            "right answers counted, not their share",
            "divide by the number of images.",
            accuracy_is(lambda logits, labels: (logits.argmax(1) == labels).sum()),
        ),
        Mistake(
            "percent, not a share",
            "all right is 1, not 100.",
            accuracy_is(lambda logits, labels: 100 * (logits.argmax(1) == labels).double().mean()),
        ),
        Mistake(
            "the share of wrong answers",
            "this is the error rate.",
            accuracy_is(lambda logits, labels: (logits.argmax(1) != labels).double().mean()),
        ),
        Mistake(
            "0, though some are right",
            "either // rounded the share down, or something other than class numbers was compared with the labels.",
            accuracy_is(lambda logits, labels: 0),
        ),
        Mistake(
            "divided by the number of classes, not of images",
            "how many answers were given?",
            accuracy_is(lambda logits, labels: (logits.argmax(1) == labels).sum() / logits.shape[1]),
        ),
        Mistake(
            "argmax over the whole batch",
            "every image has a largest logit of its own: along which dimension?",
            accuracy_is(lambda logits, labels: (logits.argmax() == labels).double().mean()),
        ),
        Mistake(
            "N×1 compared with N",
            "N×1 against N compares everything with everything: print the shape of both sides.",
            accuracy_is(lambda logits, labels: (logits.argmax(1, keepdim=True) == labels).double().mean()),
        ),
        Mistake(
            "N×1 compared with N, and the matches counted",
            "N×1 against N compares everything with everything: print the shape of both sides.",
            accuracy_is(lambda logits, labels: (logits.argmax(1, keepdim=True) == labels).sum() / len(labels)),
        ),
        Mistake(
            "one truth value an image, not their mean",
            "how many of them are true?",
            lambda got, model, images, labels: getattr(got["accuracy"], "shape", ()) == labels.shape,
        ),
        Mistake(
            "a graph is built for nothing",
            "nobody will call backward here: torch.no_grad() saves the activations.",
            lambda got, *_: got["a graph was built"],
        ),
    ),
    hint="take three images by hand: their logits, the largest of each row, the labels beside them.",
    errors={
        "must match the size": "logits are images × classes: the largest of each row is wanted, not of each column.",
        "floating point": "truth values have no mean in torch: make floats of them first.",
        "no attribute 'float'": "what is compared? Print the type of both sides of ==.",
    },
    remarks=(
        Mistake(
            "not a plain number",
            "the share is a tensor without dimensions; .item() makes a plain number of it.",
            lambda got, *_: isinstance(got.get("asked again", got.get("accuracy")), Tensor),
        ),
    ),
)


# transform: a small net is trained for one short epoch, with the reader's transform and with pixels / 255.


@dataclass(frozen=True)
class Run:
    """One training: its seed, and the share of right answers on digits set apart."""

    seed: int
    accuracy: float


@cache
def training_digits() -> tuple[Images, Images]:
    """1,000 digits to learn from and 1,000 set apart, both of the training part: the test part stays unread."""
    return digits()[0][:2000].split(1000)


def as_floats(images: Any) -> Tensor:
    """Also of NumPy's arrays and of doubles."""
    return torch.as_tensor(images).detach().float()


def trained(transform: Callable[[Tensor], Tensor], seed: int) -> Run:
    """One epoch with this transform; all else hangs on the seed alone. A training that diverges counts as 0."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 10))
    learnt, apart = training_digits()
    batches = Batches(learnt, 50, [transform, as_floats], Generator().manual_seed(seed))
    try:
        for _ in train(model, batches, Recipe(epochs=1, learning_rate=0.05)):
            pass
    except Diverged:
        return Run(seed, 0.0)
    return Run(seed, evaluate(model, Batches(apart, 50, [transform, as_floats])).accuracy)


@cache
def with_plain_pixels(seed: int) -> Run:
    return trained(lambda pixels: pixels / 255, seed)


def compared(transform: Callable[[Tensor], Tensor], pixels: Tensor) -> dict[str, Any]:
    """Whether the transform beats pixels / 255 by five points, over three seeds, and how it treats these pixels."""
    theirs = [trained(transform, seed) for seed in SEEDS]
    plain = [with_plain_pixels(seed) for seed in SEEDS]
    accuracies = (f"{fmean(run.accuracy for run in runs):.0%}" for runs in (theirs, plain))
    better = "yes" if beats(theirs, plain, by=0.05) else "no, {} against {}".format(*accuracies)
    return treated(transform, pixels) | {"five points better than pixels / 255": better}


def some_digits(generator: Generator) -> tuple[Tensor]:
    pixels = training_digits()[0].pixels
    return (pixels[torch.randperm(len(pixels), generator=generator)[:20]],)


def treated(transform: Callable[[Tensor], Tensor], pixels: Tensor) -> dict[str, Any]:
    """What a transform makes of a few digits: together and one by one, and both once more."""
    result, again = (torch.as_tensor(transform(pixels)).detach() for _ in range(2))
    # Chance may fall on the same shift or turn twice; over so many repeats it will not.
    singly, singly_again = (torch.cat([torch.as_tensor(transform(x[None])) for x in pixels]) for _ in range(2))
    unchanged = result.shape == pixels.shape
    return {
        "shape": tuple(result.shape),
        "floats": result.dtype.is_floating_point,
        "the same a second time": agree(again, result) and agree(singly_again, singly),
        "the same without the others": agree(singly, result),
        "left stays left": not (unchanged and mirrored(result.double(), pixels.double())),
        "mean": float(result.double().mean()),
        "deviation": float(result.double().std()),
    }


def mirrored(result: Tensor, pixels: Tensor) -> bool:
    """Whether any image has come out as its mirror image, by correlation; light and dark may have changed places."""
    for after, before in zip(result, pixels):
        views = torch.stack([after.flatten(), before.flatten(), before.flip(2).flatten()])
        _, likeness, mirror_likeness = views.corrcoef()[0].abs().tolist()
        if mirror_likeness > max(0.9, likeness + 0.01):
            return True
    return False


TRANSFORM = Exercise(
    signature="transform(pixels)",
    properties=(
        Property(
            "floats of the same shape", some_digits, lambda x: {"shape": tuple(x.shape), "floats": True}, treated, 1
        ),
        Property("digits are not mirrored", some_digits, lambda _: {"left stays left": True}, treated, 4),
        Property(
            "one image becomes the same floats every time, whatever stands beside it",
            some_digits,
            lambda _: {"the same a second time": True, "the same without the others": True},
            treated,
            4,
        ),
        Property(
            "after one short epoch five points better than pixels / 255",
            some_digits,
            lambda _: {"five points better than pixels / 255": "yes"},
            compared,
            1,
        ),
    ),
    mistakes=(
        Mistake(
            "the images have another size now",
            "the net of this check takes 28×28, one channel.",
            lambda got, pixels: got["shape"] != tuple(pixels.shape),
        ),
        Mistake(
            "the digits are mirrored",
            "a mirrored cat is a cat; a mirrored 2 is no digit.",
            lambda got, pixels: not got["left stays left"],
        ),
        Mistake(
            "whole numbers came out",
            "a net computes with floats: divide by something.",
            lambda got, pixels: not got["floats"],
        ),
        Mistake(
            "chance plays a part",
            "this transform also runs on the images you evaluate: the answer to an image must not be a matter of luck.",
            lambda got, pixels: not got["the same a second time"],
        ),
        Mistake(
            "the mean of the batch at hand",
            "an image's floats must not depend on its neighbours: take mean and deviation of the training part, once.",
            lambda got, pixels: not got["the same without the others"],
        ),
        Mistake(
            "0 divided by 0",
            "some of the floats are no numbers (nan): which divisor is 0 where all is black?",
            lambda got, pixels: math.isnan(got["mean"]),
        ),
        Mistake(
            "the numbers are too large: their deviation is far above 1",
            "steps of a fixed length overshoot on large inputs. Which deviation do the usual starting weights expect?",
            lambda got, pixels: got["deviation"] > 3,
        ),
        Mistake(
            "the numbers are too small: their deviation is far below 1",
            "pixels / 255 has a deviation of 0.3. Which deviation do the usual starting weights expect?",
            lambda got, pixels: got["deviation"] < 0.5,
        ),
        Mistake(
            "the middle is far from 0",
            "of a digit most pixels are black: which number are they now?",
            lambda got, pixels: abs(got["mean"]) > got["deviation"],
        ),
    ),
    hint="standardise, and vary from there: which mean and which deviation does the net see?",
    errors={"floating point": "bytes have no mean or deviation in torch: make floats of them first."},
)

EXERCISES = (STEPS_PER_EPOCH, MEAN_LOSS, STANDARDIZE, TRAIN_STEP, ACCURACY, TRANSFORM)
