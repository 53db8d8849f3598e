import math
import sys
from dataclasses import replace

import pytest
import torch
from torch import Generator, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from cnnlib.data import Batches, Images, Normalize
from cnnlib.training import Diverged, Recipe, default_device, evaluate, first_seed, train

RECIPE = Recipe(epochs=3, learning_rate=0.1, batch_size=32)


def blobs(count: int = 400) -> Images:
    """Four classes, each a bright quarter of a dark, noisy image."""
    generator = Generator().manual_seed(0)
    labels = torch.randint(0, 4, (count,), generator=generator)
    pixels = torch.randint(0, 120, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    for image, label in zip(pixels, labels.tolist()):
        image[0, label // 2 * 4 :, label % 2 * 4 :][:4, :4] += 100
    return Images(pixels, labels, tuple("abcd"))


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))


def batches(images: Images, seed: int = 0) -> Batches:
    return Batches(images, RECIPE.batch_size, [Normalize(images)], Generator().manual_seed(seed))


def test_it_learns_four_blobs_in_three_epochs():
    images = blobs()
    history = list(train(net(), batches(images), RECIPE, Batches(images, 100, [Normalize(images)])))
    assert [epoch.number for epoch in history] == [1, 2, 3]
    assert history[-1].train.loss < history[0].train.loss / 2 and history[-1].valid.accuracy > 0.95


def test_one_seed_gives_one_history():
    runs = [[epoch.train for epoch in train(net(), batches(blobs()), RECIPE)] for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 0.0), (0.5, 0.1)])
def test_one_epoch_is_the_loop_of_the_textbook(momentum, decay):
    images, model, reference = blobs(), net(), net()
    next(train(model, batches(images), replace(RECIPE, epochs=1, momentum=momentum, weight_decay=decay)))
    optimizer = torch.optim.SGD(reference.parameters(), 0.1, momentum, weight_decay=decay, nesterov=True)
    steps = len(batches(images))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps, cycle_momentum=False)
    for x, y in batches(images):
        optimizer.zero_grad()
        F.cross_entropy(reference(x), y).backward()
        optimizer.step()
        schedule.step()
    for ours, theirs in zip(model.parameters(), reference.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_means_weigh_images_not_batches():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    images = blobs(70)
    normalize = Normalize(images)
    whole = evaluate(model, Batches(images, 70, [normalize]))
    parts = evaluate(model, Batches(images, 32, [normalize]))  # 32, 32 and 6 images
    assert parts.accuracy == whole.accuracy and math.isclose(parts.loss, whole.loss, rel_tol=1e-5)


def test_it_can_be_stopped_and_keeps_what_is_finished():
    history = []
    for epoch in train(net(), batches(blobs()), RECIPE):
        history.append(epoch)
        if epoch.number == 2:
            break
    assert [epoch.number for epoch in history] == [1, 2]


def test_a_data_loader_does_as_well():
    images = blobs(64)
    pairs = list(zip(Normalize(images)(images.pixels), images.labels))
    ours = [e.train.loss for e in train(net(), Batches(images, 16, [Normalize(images)]), RECIPE)]
    theirs = [e.train.loss for e in train(net(), DataLoader(pairs, 16), RECIPE)]
    assert ours == theirs


def test_evaluation_builds_no_graph_and_leaves_no_trace():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(), nn.Linear(144, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = blobs(50)
    first, second = (evaluate(model, Batches(images, 20, [Normalize(images)])) for _ in range(2))
    assert first == second and not model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_epochs_before():
    history = []
    with pytest.raises(Diverged, match=r"in epoch 1: .* smaller learning rate than 1e\+20"):
        for epoch in train(net(), batches(blobs()), Recipe(2, 1e20, 32)):
            history.append(epoch)
    assert history == []


def test_mixed_precision_changes_the_numbers_and_still_learns():
    losses = [
        list(train(net(), batches(blobs()), replace(RECIPE, learning_rate=0.01, bfloat16=on)))[-1].train.loss
        for on in (False, True)
    ]
    assert losses[0] != losses[1] and abs(losses[0] - losses[1]) < 0.1


def test_seed_and_device_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CNNLIB_SEED", "300")
    monkeypatch.setenv("CNNLIB_DEVICE", "cpu")
    assert first_seed() == 300 and default_device() == torch.device("cpu")
    monkeypatch.delenv("CNNLIB_SEED")
    assert first_seed() == 0


def test_an_epoch_tells_itself_in_one_line():
    images = blobs(64)
    line = str(next(train(net(), batches(images), RECIPE, batches(images))))
    assert line.startswith("epoch 1 of 3: training loss ") and "validation accuracy" in line and "\n" not in line


@pytest.mark.slow
def test_importing_the_loop_brings_no_drawing_and_no_torchvision():
    code = "import sys, cnnlib.training, cnnlib.models, cnnlib.data; print({m.split('.')[0] for m in sys.modules})"
    import subprocess

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'torch'" in loaded and not {"matplotlib", "torchvision", "IPython", "pandas"} & set(eval(loaded))


class Noting(nn.Module):
    """Notes in which mode, and whether with gradients, it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.seen = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 4)), []

    def forward(self, images):
        self.seen.append((self.training, torch.is_grad_enabled()))
        return self.inner(images)


def test_every_epoch_trains_in_training_mode_also_after_a_validation():
    model, images = Noting(), blobs(64)
    whole = Batches(images, 64, [Normalize(images)])
    list(train(model, whole, replace(RECIPE, epochs=2), whole))
    assert model.seen == [(True, True), (False, False)] * 2


@pytest.mark.parametrize("change", [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"learning_rate": -0.1}])
def test_a_recipe_that_cannot_be_is_refused(change):
    (name,) = change
    with pytest.raises(ValueError, match=f"{name}="):
        replace(RECIPE, **change)


def test_without_momentum_it_is_plain_descent():
    images, model, reference = blobs(32), net(), net()
    whole = Batches(images, 32, [Normalize(images)])
    history = list(train(model, whole, Recipe(epochs=4, learning_rate=0.1, momentum=0.0)))
    assert len(history) == 4 and not torch.equal(model[0].weight, reference[0].weight)


@pytest.mark.parametrize(
    ("model", "batches", "sentence"),
    [
        (net, lambda: iter([]), "batches need a length: give Batches"),
        (net, list, "there are no batches to train on"),
        (nn.Flatten, lambda: [1], "Flatten has no parameters: there is nothing to train"),
    ],
)
def test_what_cannot_be_trained_is_named(model, batches, sentence):
    with pytest.raises(ValueError, match=sentence):
        next(train(model(), batches(), RECIPE))


def test_nothing_cannot_be_measured():
    with pytest.raises(ValueError, match="no images to measure on"):
        evaluate(net(), [])


@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_named(monkeypatch, name):
    monkeypatch.setenv("CNNLIB_DEVICE", name)
    with pytest.raises(ValueError, match=f"CNNLIB_DEVICE is '{name}', which this machine does not have: say cpu"):
        default_device()


def test_a_seed_that_is_no_whole_number_is_named(monkeypatch):
    monkeypatch.setenv("CNNLIB_SEED", "1.5")
    with pytest.raises(ValueError, match=r"CNNLIB_SEED is '1.5', which is no whole number"):
        first_seed()
