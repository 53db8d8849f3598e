# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Training, and the pixel-shuffle test
#
# What does a convolution take for granted? We take a digit apart, train two networks on the pieces, and find out.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: who has trained a network before, and which number did you look at? Usual answer: "the
# accuracy". Keep it: by the end they should ask "on which images, and over how many runs?" -->

# %% [markdown]
# This chapter takes about an hour; its code runs in about a minute on a laptop. You need to know what a convolution
# and a fully connected layer do (chapters 01 and 02). You will leave with a training loop you can write from memory,
# with the habit of asking which images a number was measured on, and with one experiment that shows what a
# convolutional network assumes about the world.
#
# How to read it: **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked
# for a prediction, commit to one before you run on. The exercises stand together at the end.

# %%
import copy

import torch
from torch import Generator, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

# %%
from cnnlib import plots, records
from cnnlib.analysis import summary, table
from cnnlib.claims import beats, claim, mean_accuracy, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize
from cnnlib.datasets import digits
from cnnlib.experiments import pixel_shuffle
from cnnlib.experiments.running import run_all
from cnnlib.models import cnn, mlp
from cnnlib.training import Recipe, default_device, evaluate, first_seed, train

device = default_device()

# %% [markdown]
# ## The question
#
# Move the 784 pixels of a digit to new places, the same new places for every image. Nothing is lost: whoever knows
# the permutation can undo it. You can no longer read the digit.

# %% slideshow={"slide_type": "slide"}
train_set, test_set = digits()
shuffles = {
    "none": "as it is",
    "inside4": "inside 4×4",
    "inside7": "inside 7×7",
    "all": "all alike",
    "each": "each its own",
}
moved = [pixel_shuffle.shuffled(test_set[:8], shuffle, seed=1).pixels for shuffle in shuffles]
rows = torch.stack(moved, dim=1)[[1, 4]].flatten(0, 1)
plots.images(rows, [*shuffles.values()] * 2, "Two digits, their pixels moved in four ways", columns=5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of the five could you still read? Let them try the 4×4 blocks from afar, eyes half
# closed. Usual wrong answer: that "each its own" and "all pixels" are the same thing. In the fourth column both
# digits were moved alike, in the fifth they were not. -->

# %% [markdown]
# Two small networks will learn from such images. One is fully connected, an *MLP* (multi-layer perceptron). One is
# convolutional, a *CNN*. They have almost the same number of parameters. First both learn from ordinary digits, then
# from digits of the fourth column.

# %% slideshow={"slide_type": "slide"}
predict(
    "Digits with all pixels moved by one permutation: which network gets worse?",
    {
        "the fully connected one": "Pixel 17 has a weight of its own. What changes for it when pixel 17 moves?",
        "the convolutional one": "Then say what exactly it loses. The pixels are all still there.",
        "both": "Both see the same scrambled images. But do both care where a pixel stands?",
        "neither": "No information is lost, that is true. The question is which network can still get at it.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. First ask: is the information still there? Usual wrong answer: no, it is noise now. It is all there;
# only the neighbourhoods are gone. Then collect a guess from everyone, on paper, with a reason. -->

# %% [markdown]
# To find out we must train networks, and we must know when to believe a number. So the first half of this chapter is
# about training; the second is the test.

# %% [markdown]
# ## A batch
#
# A batch of images is one tensor with four axes: images, channels, rows, columns. The bytes stay bytes until a
# *transform* makes floats of them.

# %%
pixels, labels = train_set.pixels, train_set.labels
print("pixels", tuple(pixels.shape), pixels.dtype, "from", int(pixels.min()), "to", int(pixels.max()))
print("labels", labels[:12].tolist())
print("does a tensor track gradients?", torch.zeros(3).requires_grad)
print("does a weight?", nn.Linear(3, 1).weight.requires_grad)

# %% [markdown]
# The last two lines matter later: a tensor is an array of numbers, and it remembers where it came from only if it is
# told to (`requires_grad=True`). Weights are told to. Images are not.
#
# **What a transform does.** Two recipes are common, and they are often taken for one. The first subtracts 0.5 and
# divides by 0.5, after the bytes were divided by 255. The second subtracts the mean of the data and divides by their
# standard deviation. Where do black (0) and white (255) end up?

# %%
normalize = Normalize(train_set)
print(normalize)
for name, mean, deviation in [
    ("0.5 and 0.5", 127.5, 127.5),
    ("mean and deviation", normalize.mean.item(), normalize.std.item()),
]:
    black, white = (0 - mean) / deviation, (255 - mean) / deviation
    print(f"{name:>18}: black {black:5.2f}, white {white:5.2f}")
batch = normalize(pixels)
print(f"after the second: mean {batch.mean().abs():.2f}, deviation {batch.std():.2f}")

# %% [markdown]
# The first maps the range to −1 … 1. Digits are mostly black, so their mean then lies far below zero. The second
# makes the mean 0 and the deviation 1, whatever the images. The two numbers are measured on the *training* part
# alone: the test part is not to be looked at, not even for its mean. Random flips and shifts are transforms too, for
# training only; whether they help depends on the data. A mirrored 2 is not a 2. You will measure that in the last
# exercise.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## An order, and an epoch
#
# A *step* uses one batch. An *epoch* is one pass over all training images, each used once. With shuffling, every
# epoch has a new order.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: 60,000 images, batches of 64: how many steps are an epoch? Usual wrong answers: 937 (the short
# last batch is forgotten), 60,000, and "as many as it takes". -->

# %%
ten = [(torch.tensor([float(i)]), i) for i in range(10)]
loader = DataLoader(ten, batch_size=4, shuffle=True, generator=Generator().manual_seed(0))
for epoch in (1, 2):
    print("epoch", epoch, [labels.tolist() for _, labels in loader])
steps = [len(part) for part in torch.arange(60_000).split(64)]
print(f"60,000 images in batches of 64: {len(steps)} steps, the last with {steps[-1]} images")

# %% [markdown]
# Each number appears once an epoch: shuffling draws *without* putting back. The loader belongs to `torch.utils.data`;
# it makes batches and knows nothing about images. Transforms of images live in `torchvision.transforms`. The course's
# own `Batches` does both jobs for data that fit into memory: it keeps the bytes where the network is, draws an order,
# and transforms a whole batch at once. Without a generator it keeps the order, as a loader without `shuffle` does:

# %%
plain = DataLoader(list(zip(normalize(test_set.pixels), test_set.labels)), batch_size=256)
pairs = list(zip(plain, Batches(test_set, 256, [normalize])))

# %% tags=["claim"]
claim(
    "Batches gives what a DataLoader gives: the same images, in the same order, equal batches.",
    all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Does the order matter?
#
# Suppose nobody shuffles, and the file is sorted: first all zeros, then all ones, and so on. What will the accuracy
# *on the training images* be in the second epoch?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Collect guesses before going on. Usual wrong answer: "high on training, low on test". The next
# picture shows that even the training accuracy falls below chance. -->

# %% slideshow={"slide_type": "fragment"}
predict(
    "Sorted by class, no shuffling: the accuracy on the training images, counted as the second epoch goes along?",
    {
        "above 90 %": "It would be, if the network forgot nothing. It sees 800 zeros, then none for 7,200 images.",
        "about 50 %": "Think of the moment when the ones begin: what has the network seen in the last hundred steps?",
        "about 10 %": "That would be guessing. A network that guesses has no habit; this one has acquired one.",
        "below 5 %": "Then say why it is worse than guessing.",
    },
)

# %% tags=["nbval-ignore-output"]
recipe = Recipe(epochs=2, learning_rate=0.05)
by_class = train_set[train_set.labels.argsort(stable=True)]
histories = {"sorted": [], "shuffled": []}
for seed in range(first_seed(), first_seed() + 3):
    for name, part, generator in [("sorted", by_class, None), ("shuffled", train_set, Generator().manual_seed(seed))]:
        torch.manual_seed(seed)
        model = mlp().to(device)
        batches = Batches(part.to(device), recipe.batch_size, [normalize], generator)
        histories[name].append([])
        for epoch in train(model, batches, recipe):
            histories[name][-1].append(epoch)
for name, runs in histories.items():
    print(name, "training accuracy in epoch 2:", [f"{run[-1].train.accuracy:.1%}" for run in runs])

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Shuffled, the second epoch gets most training images right, in each of three runs.",
    all(run[-1].train.accuracy > 0.5 for run in histories["shuffled"]),
)
claim(
    "Sorted, it gets fewer right than blind guessing would (one in ten), in each of three runs.",
    all(run[-1].train.accuracy < 0.1 for run in histories["sorted"]),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: how can a network be worse than guessing? It has learned a habit, and the habit is always one
# class late. Usual wrong answer: there must be a bug. -->

# %% [markdown]
# The sorted network does learn: it learns to say "zero" while the zeros last. When the ones come it says "zero", is
# wrong, and learns to say "one". It is always one class behind. A network has no memory but its weights, and its last
# hundred steps have the strongest say in them.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A network, written twice
#
# A network is a class with layers and a `forward`, or a `Sequential` if the layers only follow one another.
# `backward` is never written: autograd derives it.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: when is Sequential not enough? As soon as a layer's output is used twice: ResNet, chapter 09.
# -->


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 6, 5)
        self.hidden = nn.Linear(96, 50)
        self.last = nn.Linear(50, 10)

    def forward(self, x):  # 1×28×28, for each image
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # 6×12×12
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # 6×4×4
        return self.last(F.relu(self.hidden(x.flatten(1))))


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: where does the 96 come from? 28 − 4 = 24, halved 12, − 4 = 8, halved 4; six maps of 4×4. Usual
# wrong answer: 6 · 28 · 28, the padding taken for granted. -->

# %%
sequential = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(96, 50), nn.ReLU(), nn.Linear(50, 10),
)  # fmt: skip
ours, library = SmallCNN(), cnn()
for other in (sequential, library):
    other.load_state_dict(dict(zip(other.state_dict(), ours.state_dict().values())))
print(table(summary(library, (1, 28, 28))))

# %%
few = normalize(test_set.pixels[:64])

# %% tags=["claim"]
claim(
    "The three ways to write it give the same logits.",
    all(torch.allclose(net(few), ours(few), atol=1e-6) for net in (sequential, library)),
)
claim(
    "MLP and CNN are of one size: 6,442 and 6,422 parameters.",
    [sum(p.numel() for p in net().parameters()) for net in (mlp, cnn)] == [6442, 6422],
)

# %% [markdown]
# By hand: a convolution has $(5 \cdot 5 \cdot C_{in} + 1) \cdot C_{out}$ parameters, so 156 and 906; the fully
# connected layers have $97 \cdot 50 = 4850$ and $51 \cdot 10 = 510$. The MLP has three layers, 784 → 8 → 8 → 10: $785
# \cdot 8 + 9 \cdot 8 + 9 \cdot 10 = 6442$. Equal size is the point: whatever differs later, it is not the number of
# parameters.
#
# **The loss.** The network's ten outputs are *logits*: any numbers. Softmax makes probabilities of them, and the loss
# is minus the logarithm of the probability that the right class got. `F.cross_entropy` takes logits and does both
# steps. The older `F.nll_loss` does only the last: it wants log-probabilities, and does not complain when it gets
# something else.

# %%
logits, answers = ours(few), test_set.labels[:64]

# %% tags=["claim"]
claim(
    "nll_loss of log_softmax is cross_entropy.",
    torch.allclose(F.nll_loss(F.log_softmax(logits, 1), answers), F.cross_entropy(logits, answers)),
)
claim(
    "nll_loss of raw logits is another number, and nothing warns you.",
    abs(F.nll_loss(logits, answers) - F.cross_entropy(logits, answers)) > 0.5,
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The loop
#
# Forward, loss, forget the old gradients, backward, one step downhill. These lines train every network of this
# course; only the network and the recipe change.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 5 minutes, the heart of the lecture. Ask what happens when each line is left out. Without zero_grad the
# gradients of all earlier steps add up; usual wrong answer: "nothing, backward overwrites them". -->

# %% [markdown]
# The learning rate is not constant: it rises to its peak and falls to zero, once over the whole training (*one
# cycle*). `SGD` with momentum takes the steps.

# %% tags=["nbval-ignore-output"]
recipe = pixel_shuffle.LIVE.recipe
print(recipe)
seed = first_seed()
part, test = train_set.to(device), test_set.to(device)
batches = Batches(part, recipe.batch_size, [normalize], Generator(device).manual_seed(seed))
torch.manual_seed(seed)
by_hand = cnn().to(device)
optimizer = SGD(by_hand.parameters(), recipe.learning_rate, recipe.momentum, nesterov=True)
schedule = OneCycleLR(optimizer, recipe.learning_rate, recipe.epochs * len(batches), cycle_momentum=False)
print(by_hand(normalize(test.pixels[:1])).softmax(1))


# %% tags=["nbval-ignore-output", "show-code"] slideshow={"slide_type": "slide"}
def one_epoch(model, batches):
    model.train()
    losses = []
    for images, labels in batches:
        logits = model(images)  # forward
        loss = F.cross_entropy(logits, labels)  # how wrong?
        optimizer.zero_grad()  # forget the last step
        loss.backward()  # a gradient for every weight
        optimizer.step()  # one step downhill
        schedule.step()  # the next learning rate
        losses.append(loss.item())
    return sum(losses) / len(losses)


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: when is the mean of the batch losses not the mean loss? When the last batch is shorter. Here
# 125 batches of 64 make 8,000, so it is. Usual wrong answer: they are always the same. -->

# %% tags=["nbval-ignore-output"]
first_loss = one_epoch(by_hand, batches)
after_one = copy.deepcopy(by_hand.state_dict())
print(
    "training loss by epoch:",
    [round(loss, 3) for loss in (first_loss, one_epoch(by_hand, batches), one_epoch(by_hand, batches))],
)

# %% [markdown]
# The library's `train` is the same loop as a *generator*: it yields after every epoch, and whoever calls it prints,
# draws, keeps or stops. The idiom below keeps what is finished even if you interrupt the cell (the ■ button).

# %% tags=["nbval-ignore-output"]
torch.manual_seed(seed)
model = cnn().to(device)
batches = Batches(part, recipe.batch_size, [normalize], Generator(device).manual_seed(seed))
history = []
for epoch in progress(train(model, batches, recipe)):
    history.append(epoch)
    if epoch.number == 1:
        same = all(torch.allclose(a, b, atol=1e-4) for a, b in zip(model.state_dict().values(), after_one.values()))
measured = evaluate(model, Batches(test, 1000, [normalize]))
print(f"test accuracy {measured.accuracy:.1%}")

# %% tags=["claim"]
claim(
    "After one epoch our loop and the library's have the same loss and the same weights.",
    same and abs(history[0].train.loss - first_loss) < 1e-4,
)
claim(
    "A blind guess is right one time in ten; this network is right more than nine times in ten.",
    measured.accuracy > 0.9,
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Train and evaluation mode
#
# Dropout and batch norm behave in one way while training and in another afterwards. `model.train()` and
# `model.eval()` switch; nothing else does.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what does batch norm do in evaluation mode? Usual wrong answer: nothing, it is switched off.
# -->

# %%
dropout = nn.Dropout(0.5)
torch.manual_seed(0)
print("in training  ", dropout(torch.ones(10)).tolist())
print("in evaluation", dropout.eval()(torch.ones(10)).tolist())

# %% [markdown]
# Half of the values are dropped, and the others are doubled, so that the mean stays what it was. Batch norm subtracts
# a mean and divides by a deviation in *both* modes. In training they are those of the batch, so that an image's
# output depends on its neighbours in the batch. In evaluation they are running averages collected during training.

# %%
torch.manual_seed(0)
norm = nn.BatchNorm2d(1)
bright = 3 + 2 * torch.randn(200, 64, 1, 4, 4)
for images in bright:
    norm(images)
one = bright[0]
outputs = {}
for mode in ("eval", "train"):  # in this order: a pass in training mode moves the averages
    norm.train(mode == "train")
    outputs[mode] = norm(one[:2])[0], norm(one)[0]

# %% tags=["claim"]
claim(
    "In training an image's output depends on its batch mates.",
    (outputs["train"][0] - outputs["train"][1]).abs().max() > 0.01,
)
claim("In evaluation it does not.", (outputs["eval"][0] - outputs["eval"][1]).abs().max() < 1e-5)
verdict(
    "In evaluation mode batch norm is not used.",
    bool((norm.eval()(one) - one).abs().mean() < 0.1),
    because="it still shifts and scales its input, by the averages it collected in training",
)

# %% [markdown]
# **Nothing to remember.** A forward pass keeps the layers' inputs for the backward pass. In evaluation no backward
# pass comes, so `torch.no_grad()` tells autograd to keep nothing. `evaluate` in the library does it. How many bytes
# are at stake for 64 images?


# %%
def kept_bytes(run):
    sizes = []

    def note(tensor):
        sizes.append(tensor.nbytes)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    return sum(sizes)


# %% tags=["nbval-ignore-output"]
net = cnn()
with_graph = kept_bytes(lambda: net(few))
without = kept_bytes(lambda: evaluate(net, [(few, answers)]))
print(f"kept for a backward pass: {with_graph / 2**20:.1f} MiB, with no_grad {without} bytes")

# %% tags=["claim"]
claim(
    "Evaluating without no_grad keeps more than two megabytes for a backward pass that never comes; with it, nothing.",
    with_graph > 2e6 and without == 0,
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which images was it measured on?
#
# Three parts: *training* images for the weights, *validation* images for your decisions, *test* images for one
# number, read once. Why not decide by the test images? They are not trained on.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: what harm is there in looking? Usual wrong answer: none, as long as no gradient comes from
# them. -->

# %% [markdown]
# Let us do harm. We take a trained MLP and five hundred times make a tiny random change to its last layer. Whenever
# 200 test images like the change, we keep it. No gradient, no training: only decisions. Will it get better?

# %% tags=["nbval-ignore-output"]
torch.manual_seed(seed)
trained = mlp().to(device)
for _ in train(trained, Batches(part, recipe.batch_size, [normalize], Generator(device).manual_seed(seed)), recipe):
    pass
with torch.no_grad():
    hidden = trained.hidden(normalize(test.pixels)).cpu()


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def decide(split, tries=500):
    """Accuracy on the choosing images and on the fresh ones, after each try."""
    generator = Generator().manual_seed(split)
    order = torch.randperm(len(test_set), generator=generator)
    choosing, fresh = order[:200], order[200:]
    weight, bias = trained.classifier.weight.cpu(), trained.classifier.bias.cpu()
    path = []
    for number in range(tries + 1):
        changed = weight + 0.05 * torch.randn(weight.shape, generator=generator) * (number > 0)
        right = (hidden @ changed.T + bias).argmax(1) == test_set.labels
        here, there = right[choosing].float().mean().item(), right[fresh].float().mean().item()
        if not path or here >= path[-1][0]:
            weight, path = changed, [*path, (here, there)]
    return path


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
paths = [decide(first_seed() + split) for split in range(5)]
gains = torch.tensor([[path[-1][i] - path[0][i] for i in (0, 1)] for path in paths])
plots.decisions(paths, "Five hundred decisions by the same 200 images")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which curve would go into the report? Usual wrong answer: "the upper one, it was measured on
# test images". -->

# %% tags=["claim"]
claim("By the images that decided, the network improved.", gains[:, 0].mean() > 0)
claim("On fresh images it got worse, on average over five splits.", gains[:, 1].mean() < 0)

# %% [markdown]
# By the deciding images it got better. On images that had no say it got *worse*. A test part that takes decisions is
# a validation part, and its number is too good. In this course recipes are chosen on a part of the training images
# (`train_set.split(1000)`); the test part is read once, for the number that is shown.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The pixel-shuffle test
#
# Two networks of one size, ordinary and shuffled digits, five seeds each. A seed sets the first weights, the order of
# the batches and the permutation.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask them to repeat their prediction from the start, with a number. Usual wrong answer: "both fall to
# chance". -->

# %% [markdown]
# You have trained one arm by hand: the CNN on ordinary digits. `run` trains any arm the same way and writes down what
# happened. If you have a GPU and time, write `pixel_shuffle.FULL` below: the same test on the 70,000 images of
# Fashion-MNIST.

# %% tags=["nbval-ignore-output"]
size = pixel_shuffle.LIVE
arms = ["mlp-none", "mlp-all", "cnn-none", "cnn-all"]
finished = []
for record in progress(run_all(pixel_shuffle, size, arms), total=len(arms) * size.seeds):
    finished.append(record)
runs = records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
axis = {"none": "as it is", "all": "all pixels moved"}
groups = {net.upper(): {f"{net}-{shuffle}": place for shuffle, place in axis.items()} for net in ("cnn", "mlp")}
plots.bands(runs, recorded, groups, "Test accuracy on ordinary and on shuffled digits")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. The bands are ten recorded runs, the dots yours. Ask: which dot would you have believed, had it been
# the only one? Usual wrong answer: any of them. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "On ordinary digits the CNN is at least five points ahead of the MLP.",
    beats(runs["cnn-none"], runs["mlp-none"], by=0.05),
)
claim(
    "One permutation of all pixels costs the CNN at least six points.",
    beats(runs["cnn-none"], runs["cnn-all"], by=0.06),
)
claim(
    "The MLP does not notice it: its mean moves by less than one and a half points.",
    abs(mean_accuracy(runs["mlp-all"]) - mean_accuracy(runs["mlp-none"])) < 0.015,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: why "at least six" and not the number itself? Because the number differs from run to run; the
# claim holds for every seed we tried. -->

# %% [markdown]
# Over ten recorded runs the CNN reaches 96.0 %<!-- pixel-shuffle: cnn, none, mean --> on ordinary digits and
# 87.3 %<!-- pixel-shuffle: cnn, all, mean --> on shuffled ones; the MLP 88.6 %<!-- pixel-shuffle: mlp, none, mean -->
# and 89.0 %<!-- pixel-shuffle: mlp, all, mean -->. Look at the spread too: the shuffled CNN lies anywhere between
# 84.6 %<!-- pixel-shuffle: cnn, all, min --> and 88.7 %<!-- pixel-shuffle: cnn, all, max -->, the shuffled MLP
# between 87.3 %<!-- pixel-shuffle: mlp, all, min --> and 89.8 %<!-- pixel-shuffle: mlp, all, max -->. Whoever ran
# each of them once could tell either story about who wins on shuffled pixels.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why the MLP cannot notice
#
# Its first layer gives every pixel a weight of its own and adds up. Renumber the pixels, renumber the weights the
# same way: the same products, the same sum.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: could you build such a twin for the CNN? Usual wrong answer: permute its 25 kernel weights. The
# window would still see neighbours, and in the shuffled image neighbours are strangers. -->

# %% [markdown]
# So for every MLP trained on ordinary digits there is a *twin* for shuffled ones: the same network with the columns
# of its first weight matrix permuted. That is a proof, and a proof can be run.

# %% tags=["nbval-ignore-output"]
permutation = pixel_shuffle.permutation("all", 28, Generator().manual_seed(7))
twin = copy.deepcopy(trained)
with torch.no_grad():
    twin.hidden[1].weight.copy_(trained.hidden[1].weight[:, permutation])
ordinary = normalize(test.pixels)
scrambled = ordinary.flatten(2)[:, :, permutation].view_as(ordinary)
with torch.no_grad():
    difference = (twin(scrambled) - trained(ordinary)).abs().max().item()
print(f"largest difference of a logit: {difference:.1e}")

# %% tags=["claim"]
claim("The twin gives the same logits for the scrambled digits, to rounding.", difference < 1e-4)

# %% [markdown]
# The twin also tells what *training* must do. An MLP trained on shuffled digits should find, up to its random start,
# the twin of an ordinary one. Here are first-layer weights of both, one picture a hidden unit. Put every weight of
# the second back where its pixel came from: it is the same kind of weights.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
shuffled = part.__class__(part.pixels.flatten(2)[:, :, permutation].view_as(part.pixels), part.labels, part.classes)
torch.manual_seed(seed)
stranger = mlp().to(device)
for _ in train(stranger, Batches(shuffled, 64, [normalize], Generator(device).manual_seed(seed)), recipe):
    pass
learned = stranger.hidden[1].weight.detach().cpu()
back = torch.empty_like(learned)
back[:, permutation] = learned
maps = torch.stack([trained.hidden[1].weight.detach().cpu(), learned, back]).view(3, 8, 28, 28)
captions = ["trained on ordinary digits", "trained on shuffled digits", "the same, put back in place"]
plots.weights(maps, captions, "First-layer weights of two MLPs, one picture a hidden unit")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what did the MLP on shuffled digits learn, noise? Usual wrong answer: yes. The third row says
# no. -->

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the CNN takes for granted
#
# A convolution looks at 5×5 pixels and assumes that they have to do with each other, and that what helps in one
# corner helps in the next. Now break only a part of it.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask for an order: as it is, inside 4×4, inside 7×7, all. Usual wrong answer: any shuffle inside the
# 5×5 window does no harm. It does: the window slides, and the blocks do not slide with it. -->

# %% [markdown]
# Move pixels only inside blocks of 4×4 (the same way in every block), or of 7×7. The coarse picture stays; what was
# near stays rather near. And, at the other end, give every image a permutation *of its own*: then no network can know
# what a pixel means.

# %% slideshow={"slide_type": "fragment"}
predict(
    "A permutation of its own for every image: how does the MLP fare, which did not notice the single one?",
    {
        "as before, near 90 %": "Before, pixel 17 was always the same place in disguise. Is it now?",
        "a little worse": "What could it still use? Look for anything that does not depend on where a pixel stands.",
        "exactly at chance": "Almost. Something survives every permutation: how much ink there is.",
        "low, but above chance": "Then say what it still reads from a bag of pixels.",
    },
)

# %% tags=["nbval-ignore-output"]
more = ["cnn-inside4", "cnn-inside7", "cnn-each", "mlp-each"]
for record in progress(run_all(pixel_shuffle, size, more), total=len(more) * size.seeds):
    finished.append(record)
runs = records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
groups = {
    "CNN": {f"cnn-{shuffle}": name for shuffle, name in shuffles.items()},
    "MLP": {f"mlp-{shuffle}": shuffles[shuffle] for shuffle in ("none", "all", "each")},
}
plots.bands(runs, recorded, groups, "Test accuracy by how far the pixels were moved")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what is left for the CNN in the fourth column? Pooled sums of strangers: still a network,
# without the one idea it is named after. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "The further pixels move, the worse for the CNN: 4×4 blocks cost at least a point.",
    beats(runs["cnn-none"], runs["cnn-inside4"], by=0.01),
)
claim(
    "The further pixels move: 7×7 blocks cost at least another point.",
    beats(runs["cnn-inside4"], runs["cnn-inside7"], by=0.01),
)
claim(
    "The further pixels move: the whole image costs at least one more.",
    beats(runs["cnn-inside7"], runs["cnn-all"], by=0.01),
)

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "With a permutation of its own for every image both networks stay below 35 %.",
    max(mean_accuracy(runs[arm]) for arm in ("mlp-each", "cnn-each")) < 0.35,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: why above ten per cent at all? A one has less ink than an eight. -->

# %% [markdown]
# Locality comes in degrees, and the CNN's accuracy follows it: 96.0 %<!-- pixel-shuffle: cnn, none, mean --> as it
# is, 94.2 %<!-- pixel-shuffle: cnn, inside4, mean --> inside 4×4, 90.0 %<!-- pixel-shuffle: cnn, inside7, mean -->
# inside 7×7, 87.3 %<!-- pixel-shuffle: cnn, all, mean --> for the whole image. With a permutation for each image,
# 23.0 %<!-- pixel-shuffle: cnn, each, mean --> and 21.8 %<!-- pixel-shuffle: mlp, each, mean --> remain. Both are
# above the 10 % of a blind guess, for the amount of ink survives every permutation. So the order of the pixels
# carries the information for the MLP too. It only does not care *which* order, as long as it is always the same.

# %% [markdown]
# ## Does it hold up?
#
# Four sentences that people say about this experiment and about training, each against what was measured. Take a side
# before you read the answer.

# %%
full = records.read_all(pixel_shuffle.FULL.name)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Shuffling the pixels makes the problem impossible for a CNN.",
    all(run.accuracy < 0.2 for run in runs["cnn-all"]),
    because="every shuffled CNN stays far above the 10 % of a guess; only a permutation per image brings it near",
)
verdict(
    "On shuffled pixels a CNN is worse than an MLP of the same size.",
    [mean_accuracy(arms["cnn-all"]) < mean_accuracy(arms["mlp-all"]) for arms in (recorded, full)],
    because="behind in the recorded runs on digits, not behind in those on Fashion-MNIST",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each sentence before showing this slide. Usual wrong answer: the CNN is lost without
# its neighbours. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "A fully connected network does not care where the pixels are.",
    mean_accuracy(runs["mlp-each"]) > 0.8,
    because="any order will do, but it must be the same order for every image",
)
verdict(
    "An epoch is the number of times the weights are updated.",
    len(Batches(train_set, 64, [normalize])) == 1,
    because="an epoch is one pass over the training images: 125 updates here, 938 for 60,000 images in batches of 64",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what would you need to measure to settle the second one? Both networks over many recipes,
# chosen on a validation part. -->

# %% [markdown]
# ## Interrogate the result
#
# Which digits does the CNN get wrong, and how sure is it? Below are the ten test images on which it was wrong and
# most confident. The caption reads *its answer (its confidence), the label*.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
with torch.no_grad():
    probabilities = model.eval()(normalize(test.pixels)).softmax(1).cpu()
confidence, answer = probabilities.max(1)
wrong = (answer != test_set.labels).nonzero().flatten()
worst = wrong[confidence[wrong].argsort(descending=True)[:10]]
captions = [f"{answer[i]} ({confidence[i]:.0%}), {test_set.labels[i]}" for i in worst]
plots.images(test_set.pixels[worst], captions, "The most confident mistakes: answer (confidence), label", columns=5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of these would you have got right? -->

# %% [markdown]
# Some are badly written; a few you would read at once. A network trained for three epochs on 8,000 images is sure of
# itself long before it deserves to be.
#
# <details><summary>Further: why the shuffled CNN is not lost</summary>
#
# Its last layers are fully connected and could read any order. What hurts is the way there: the first convolution
# must describe a window of 25 unrelated pixels with six numbers, the same six everywhere, and pooling then keeps the
# largest of four. An MLP of the same size has no such bottleneck. Give the CNN more maps, or more epochs, and the gap
# narrows.
#
# </details>
#
# <details><summary>Further: where the test comes from</summary>
#
# The exercise with these two networks, 6,442 and 6,422 parameters, comes from the deep learning course of Alfredo
# Canziani and Yann LeCun at New York University (2020). There it is one run of one epoch; later courses repeat its
# outcome as a fact. Here it is five runs live and ten recorded ones, and the sentence "the CNN is worse than the MLP
# then" turns out to depend on the run.
#
# </details>

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### How many steps is an epoch?
#
# 3 minutes, ●○○
#
# An **epoch** is one pass over all training images; the optimiser moves once a batch. Write `steps_per_epoch`: how
# often does it move in one epoch? Both arguments are whole numbers. The loader keeps the last batch, however short it
# is.


# %%
def steps_per_epoch(images, batch_size): ...


# %%
check(steps_per_epoch)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_steps_per_epoch(images, batch_size):
    full, left_over = divmod(images, batch_size)
    return full + (left_over > 0)


check(solution_steps_per_epoch, of="steps_per_epoch")

# %% [markdown]
# ### The mean of a pass
#
# 5 minutes, ●○○
#
# A pass has given you a list of mean losses, one a batch, and the list of the batches' sizes. Write `mean_loss`: the
# mean over all images. Try it by hand first: the numbers 0 to 9 in batches of 4, 4 and 2 have the batch means 1.5,
# 5.5 and 8.5. Their mean is 5.17. The mean of 0 to 9 is 4.5.


# %%
def mean_loss(losses, sizes): ...


# %%
check(mean_loss)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_mean_loss(losses, sizes):
    return sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes)


check(solution_mean_loss, of="mean_loss")

# %% [markdown]
# ### Standardise
#
# 8 minutes, ●●○
#
# Write `standardize`: bytes of shape N×C×H×W in, floats of the same shape out, with mean 0 and standard deviation 1
# in each channel. One channel has one mean and one deviation, taken over all images and all places.


# %%
def standardize(pixels): ...


# %%
check(standardize)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_standardize(pixels):
    values = pixels.float()
    mean = values.mean((0, 2, 3), keepdim=True)
    deviation = values.std((0, 2, 3), keepdim=True)
    return (values - mean) / deviation


check(solution_standardize, of="standardize")

# %% [markdown]
# ### One step of training
#
# 8 minutes, ●●○
#
# Write `train_step`: one step of `optimizer` against the gradient of the cross-entropy of this batch. The model gives
# logits. Return the loss as a number, as it was before the step. Somebody may have left a gradient in the weights: it
# must change nothing.


# %%
def train_step(model, images, labels, optimizer): ...


# %%
check(train_step)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_train_step(model, images, labels, optimizer):
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


check(solution_train_step, of="train_step")

# %% [markdown]
# ### Accuracy, asked twice
#
# 8 minutes, ●●○
#
# Write `accuracy`: the share of images, 0 to 1, for which the largest logit is the one of the label. The net may hold
# dropout and batch norm, and it may come straight from training. Asked twice, it must answer the same; nothing in it
# may change; and no graph is to be built, for nobody will call `backward`.


# %%
def accuracy(model, images, labels): ...


# %%
check(accuracy)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        guesses = model(images).argmax(1)
    return (guesses == labels).float().mean().item()


check(solution_accuracy, of="accuracy")

# %% [markdown]
# ### A transform of your own
#
# 15 minutes, ●●●
#
# What the net sees is your choice. Write `transform`: bytes of shape N×1×28×28 in, floats of the same shape out. The
# check trains a small convolutional net on 1,000 digits, for one epoch of 20 steps, with your transform and with
# `pixels / 255`, each from three seeds. Yours passes when it is five points better by the rule of this course. There
# is more than one answer. When you have one, look for a second: is it the transform that is better, or would a larger
# learning rate have done the same?


# %%
def transform(pixels): ...


# %%
check(transform)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_transform(pixels):
    # Mean and standard deviation of MNIST's training pixels, in units of the brightest one.
    return (pixels / 255 - 0.1307) / 0.3081


check(solution_transform, of="transform")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - One permutation of all pixels costs a CNN dearly and an MLP nothing.
# - A convolution assumes that neighbours belong together, everywhere alike.
# - Shuffle. Switch modes. Decide on validation images. Repeat over seeds.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the five lines of the loop from memory, then compare. -->

# %% [markdown]
# Three questions that students ask, and where this chapter measured the answer:
#
# 1. *What does `shuffle` do?* A new order every epoch, without repetition. Without it, and with data sorted by class,
#    the network is always one class behind ("Does the order matter?").
# 2. *What do different values in a transform do?* They move black and white. Mean and deviation of the training images
#    centre the data; 0.5 and 0.5 do not ("A batch", and the last exercise).
# 3. *What is an epoch, what is a batch?* One pass over the training images; the images of one step. 60,000 images in
#    batches of 64 are 938 steps ("An order, and an epoch").
#
# **Sources.** A. Canziani, Y. LeCun, *Deep Learning*, New York University, 2020, practicum 3: the two networks and
# the permutation. S. Ioffe, C. Szegedy, *Batch Normalization*, 2015, arXiv:1502.03167. N. Srivastava and others,
# *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 15, 2014. L. Smith, N. Topin,
# *Super-Convergence*, 2017, arXiv:1708.07120: the one-cycle rate. Y. LeCun, C. Cortes, C. Burges, *The MNIST database
# of handwritten digits*.
#
# **Next**, chapter 04: LeNet, the network that these digits were collected for. **Before**, chapter 02: pooling,
# fully connected layers, receptive fields.
