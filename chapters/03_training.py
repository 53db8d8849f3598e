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
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Generator, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

# %%
from cnnlib import plots, records
from cnnlib.analysis import gradient_norms, summary, table
from cnnlib.claims import Score, beats, claim, mean_accuracy, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize, Pad, random_flip
from cnnlib.datasets import digits
from cnnlib.experiments import pixel_shuffle
from cnnlib.experiments.running import run_all
from cnnlib.models import cnn, mlp, plain56_cifar, resnet56_cifar
from cnnlib.training import Recipe, default_device, evaluate, first_seed, train

device = default_device()
torch.set_num_threads(1)  # nets as small as these are quicker on one core than on several that must agree

# %% [markdown]
# ## The question
#
# Move the 784 pixels of a digit to new places, the same new places for every image. Nothing is lost: whoever knows
# the permutation can undo it. You can no longer read the digit.

# %%
train_set, test_set = digits()
shuffles = {
    "none": "as it is",
    "inside4": "inside 4×4",
    "inside7": "inside 7×7",
    "all": "all alike",
    "each": "each its own",
}
moved = torch.stack([pixel_shuffle.shuffled(test_set, shuffle, seed=1).pixels for shuffle in shuffles], dim=1)

# %% slideshow={"slide_type": "slide"}
rows = torch.cat([moved[1], moved[4], moved.float().mean(0)])
captions = [*shuffles.values()] * 2 + ["mean of 2,000"] * 5
says = (
    "Inside 4×4 the outline remains, inside 7×7 a blot. Moved over the whole image, only dots; their mean keeps bright "
)
says += "and dark places if all images move alike, and is flat grey if each moves its own way."
plots.images(rows, captions, "Two digits, and the mean of all, their pixels moved", columns=5, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of the five could you still read? Let them try the 4×4 blocks from afar, eyes half
# closed. Usual wrong answer: that the last two columns are the same thing. The means say no. In the fourth column all
# images were moved alike, in the fifth each its own way. -->

# %% [markdown]
# The last row is the mean of 2,000 such images. Where all move alike, some places are bright more often than others;
# where each moves its own way, no place is special.
#
# Two small networks will learn from such images. One is fully connected, an *MLP* (multi-layer perceptron). One is
# convolutional, a *CNN*. They have almost the same number of parameters. First both learn from ordinary digits, then
# from digits of the fourth column.

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Digits with all pixels moved by one permutation: which network gets worse?",
    {
        "the fully connected one": "Pixel 17 has a weight of its own. What changes for it when pixel 17 moves?",
        "the convolutional one": "What exactly would it lose? The pixels are all still there.",
        "both": "Both see the same scrambled images. But do both care where a pixel stands?",
        "neither": "No information is lost, that is true. But can each network still get at it?",
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
print("does a tensor keep track of gradients?", torch.zeros(3).requires_grad)
print("does a weight?", nn.Linear(3, 1).weight.requires_grad)

# %% [markdown]
# The *loss* is one number that says how wrong the network is (below). A *gradient* says, for each weight, how fast the
# loss grows with it; the loop below needs it. The last two lines say who keeps track: a tensor remembers where it came
# from only if it is told to (`requires_grad=True`). Weights are told to. Images are not.
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
# alone: the test part is not to be looked at, not even for its mean. What difference it makes we measure below, once
# we can train.

# %% [markdown]
# ## An order, and an epoch
#
# A *step* uses one batch. An *epoch* is one pass over all training images, each used once. With shuffling, every
# epoch has a new order.

# %%
ten = [(torch.tensor([float(i)]), i) for i in range(10)]
loader = DataLoader(ten, batch_size=4, shuffle=True, generator=Generator().manual_seed(0))
for epoch in (1, 2):
    print("epoch", epoch, [labels.tolist() for _, labels in loader])
sizes = [len(part) for part in torch.arange(60_000).split(64)]
print(f"60,000 images in batches of 64: {len(sizes)} steps, the last with {sizes[-1]} images")
print(
    f"images seen before the last step: {sum(sizes[:-1]):,}; 937 times the size of the last batch: {937 * sizes[-1]:,}"
)

# %% [markdown]
# Each number appears once an epoch: shuffling draws *without* putting back. The last line is for those who print their
# progress as "number of the batch times its size", as a widely copied listing does: at the short last batch it would
# say 29,984 where 59,968 images have been seen.
#
# The loader belongs to `torch.utils.data`; it makes batches and knows nothing about images. Transforms of images live
# in `torchvision.transforms`. The course's own `Batches` does both jobs for data that fit into memory: it keeps the
# bytes where the network is, draws an order, and transforms a whole batch at once. Without a generator (a source of
# random numbers) it keeps the order, as a loader without `shuffle` does:

# %%
plain = DataLoader(list(zip(normalize(test_set.pixels), test_set.labels)), batch_size=256)
pairs = list(zip(plain, Batches(test_set, 256, [normalize])))

# %% tags=["claim"]
claim(
    "Batches gives what a DataLoader gives: the same images, in the same order, equal batches.",
    all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs),
)

# %% [markdown]
# ## A network, written twice
#
# A network is a class with layers and a `forward`, or a `Sequential` if the layers only follow one another. The way
# back, which computes the gradients, is never written: torch records what `forward` does and derives it (*autograd*).


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
# wrong answer: 6 · 28 · 28, the padding taken for granted. And: when is Sequential not enough? As soon as an output
# is used twice: ResNet, chapter 09. -->

# %%
sequential = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(96, 50), nn.ReLU(), nn.Linear(50, 10),
)  # fmt: skip
ours, library = SmallCNN(), cnn()
for other in (sequential, library):  # the same weights in the same order; only their names differ
    other.load_state_dict(dict(zip(other.state_dict(), ours.state_dict().values())))
few = normalize(test_set.pixels[:64])
print(table(summary(library, (1, 28, 28))))

# %% tags=["claim"]
claim(
    "Both ways, and the library's network, give the same outputs.",
    all(torch.allclose(net(few), ours(few), atol=1e-6) for net in (sequential, library)),
)
claim(
    "MLP and CNN are of one size: 6,442 and 6,422 parameters.",
    [sum(p.numel() for p in net().parameters()) for net in (mlp, cnn)] == [6442, 6422],
)

# %% [markdown]
# (*MACs* are multiplications with an addition, *saved bytes* what training keeps for the way back, both for one
# image.) The MLP has three layers, 784 → 8 → 8 → 10: $785 \cdot 8 + 9 \cdot 8 + 9 \cdot 10 = 6442$. Equal size is the
# point: whatever differs later, it is not the number of parameters.
#
# **The loss.** The network's ten outputs are *logits*: any numbers. *Softmax* makes probabilities of them: $e$ to the
# power of each, divided by the sum of the ten. The loss is minus the logarithm of the probability that the right class
# got. `F.cross_entropy` takes logits and does all of it. `F.nll_loss` takes logarithms of probabilities, picks that of
# the right class and turns its sign. Both then take the mean over the images of the batch.

# %%
logits, answers = ours(few), test_set.labels[:64]

# %% tags=["claim"]
claim(
    "nll_loss of log_softmax is cross_entropy.",
    torch.allclose(F.nll_loss(F.log_softmax(logits, 1), answers), F.cross_entropy(logits, answers)),
)
claim(
    "nll_loss of raw logits is another number, and no error.",
    abs(F.nll_loss(logits, answers) - F.cross_entropy(logits, answers)) > 0.5,
)

# %% [markdown]
# ## The loop
#
# Forward, loss, forget the old gradients, backward, one step downhill. These lines train every network of this
# course; only the network and the recipe change.
#
# Take them one at a time. `backward` computes the gradient of the loss for every weight and *adds* it to what is in
# `.grad`. Call it twice, and the gradient doubles; hence `zero_grad`. `step` then moves each weight against its
# gradient, by the gradient times the *learning rate*. The object that does so is the *optimiser*, here `SGD`,
# stochastic gradient descent: *stochastic*, for each step looks at one batch only.

# %%
torch.manual_seed(0)
tiny = nn.Linear(784, 10)
weight = tiny.weight
before = weight.detach().clone()
gradients = []
for _ in range(2):
    F.cross_entropy(tiny(few.flatten(1)), answers).backward()
    gradients.append(weight.grad.clone())
tiny.zero_grad()
F.cross_entropy(tiny(few.flatten(1)), answers).backward()
SGD(tiny.parameters(), lr=0.1).step()

# %% tags=["claim"]
claim(
    "backward adds: after the second call the gradient is twice the first.",
    torch.allclose(gradients[1], 2 * gradients[0]),
)
claim(
    "step is a subtraction: weight minus learning rate times gradient.",
    torch.allclose(weight, before - 0.1 * gradients[0], atol=1e-7),
)

# %% [markdown]
# Two refinements. *Momentum* adds a part of the last step to the next one (`nesterov`, below, looks a little ahead as
# it does so). And the learning rate is not constant: it rises to its peak and falls to zero, once over the whole
# training (*one cycle*). A `Recipe` holds such choices; the *seed* fixes everything that is drawn at random, here the
# first weights and the order of the images.

# %%
recipe = pixel_shuffle.LIVE.recipe
print(recipe)

# %% tags=["nbval-ignore-output"]
seed = first_seed()
ordered = Batches(train_set, recipe.batch_size, [normalize], Generator().manual_seed(seed))
torch.manual_seed(seed)
by_hand = cnn()
optimizer = SGD(by_hand.parameters(), recipe.learning_rate, recipe.momentum, nesterov=True)
schedule = OneCycleLR(optimizer, recipe.learning_rate, recipe.epochs * len(ordered), cycle_momentum=False)


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
# <!-- 5 minutes, the heart of the lecture. Ask what happens when each line is left out; the next slide answers. Usual
# wrong answer for zero_grad: nothing, backward overwrites. And: when is the mean of the batch losses not the mean
# loss? When the last batch is shorter; here 125 batches of 64 make 8,000. -->

# %% tags=["nbval-ignore-output"]
first_loss = one_epoch(by_hand, ordered)
after_one = copy.deepcopy(by_hand.state_dict())
later = [one_epoch(by_hand, ordered) for _ in range(recipe.epochs - 1)]
print("training loss by epoch:", [round(loss, 3) for loss in (first_loss, *later)])

# %% [markdown]
# The library's `train` is the same loop as a Python *generator*: it hands over each finished epoch and waits; whoever
# calls it prints, draws, keeps or stops. (It has nothing to do with the random `Generator`.) The idiom below keeps
# what is finished even if you interrupt the cell with the ■ button. *Accuracy* is the share of right answers.

# %% tags=["nbval-ignore-output"]
seed = first_seed()
torch.manual_seed(seed)
model = cnn()
batches = Batches(train_set, recipe.batch_size, [normalize], Generator().manual_seed(seed))
history = []
for epoch in progress(train(model, batches, recipe)):
    history.append(epoch)
    if epoch.number == 1:
        same = all(torch.allclose(a, b, atol=1e-4) for a, b in zip(model.state_dict().values(), after_one.values()))
measured = evaluate(model, Batches(test_set, 1000, [normalize]))
print(f"test accuracy {measured.accuracy:.1%}")

# %% tags=["claim"]
claim(
    "After one epoch our loop and the library's have the same loss and the same weights.",
    same and abs(history[0].train.loss - first_loss) < 1e-4,
)

# %% [markdown]
# ## What each part is worth
#
# Now that we can train, we can ask what each part is for: by leaving it out. For such questions we set 1,000 of the
# training images apart, as a *validation* part: the network does not train on them, and the test images stay out of
# it.

# %% tags=["nbval-ignore-output"]
fit, valid = (images.to(device) for images in train_set.split(1000))
short = Recipe(epochs=1, learning_rate=0.03)


def score(net, seed):
    return Score(seed, evaluate(net, Batches(valid, 1000, [normalize])).accuracy)


def without(line, seed):
    torch.manual_seed(seed)
    net = mlp().to(device)
    batches = Batches(fit, short.batch_size, [normalize], Generator(device).manual_seed(seed))
    optimizer = SGD(net.parameters(), short.learning_rate, short.momentum, nesterov=True)
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        for name, act in [("zero_grad", optimizer.zero_grad), ("backward", loss.backward), ("step", optimizer.step)]:
            if name != line:
                act()
    return score(net, seed)


# %% tags=["nbval-ignore-output"]
seeds = range(first_seed(), first_seed() + 5)
left_out = {line: [without(line, seed) for seed in seeds] for line in ("nothing", "zero_grad", "backward", "step")}
for line, scores in left_out.items():
    print(f"without {line:<10}", [f"{run.accuracy:.0%}" for run in scores])

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("One epoch with all lines: most unseen digits are read right.", mean_accuracy(left_out["nothing"]) > 0.6)
claim(
    "Without zero_grad, backward or step: on average at most one in four.",
    max(mean_accuracy(left_out[line]) for line in ("zero_grad", "backward", "step")) < 0.25,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: why is a forgotten zero_grad as bad as a forgotten step? All old gradients pull along, in
# directions that are no longer downhill. Usual wrong answer: it only makes the steps larger. -->

# %% [markdown]
# **The transform.** The same MLP, one epoch, ten seeds: pixels with mean 0 and deviation 1; pixels from −1 to 1 by
# 0.5 and 0.5; and the first ones with each training image mirrored or not, by the toss of a coin.


# %% tags=["nbval-ignore-output"]
def learn(net, images, recipe, seed, transforms):
    batches = Batches(images, recipe.batch_size, transforms, Generator(device).manual_seed(seed))
    for _ in train(net, batches, recipe):
        pass
    return evaluate(net, Batches(valid, 1000, transforms[:1])).accuracy  # without the flips


ways = {"mean and deviation": [normalize], "0.5 and 0.5": [lambda x: x / 127.5 - 1], "flips": [normalize, random_flip]}
reached = {way: [] for way in ways}
for seed in range(first_seed(), first_seed() + 10):  # one epoch is a lottery: five seeds were too few to tell
    for way, transforms in ways.items():
        torch.manual_seed(seed)
        reached[way].append(Score(seed, learn(mlp().to(device), fit, short, seed, transforms)))
for way, scores in reached.items():
    print(f"{way:>18}", [f"{run.accuracy:.0%}" for run in scores])

# %% tags=["claim"]
claim(
    "For this MLP mean and deviation beat 0.5 and 0.5 by at least two points after one epoch.",
    beats(reached["mean and deviation"], reached["0.5 and 0.5"], by=0.02),
)
claim(
    "Random flips cost it at least two points after one epoch.",
    beats(reached["mean and deviation"], reached["flips"], by=0.02),
)

# %% [markdown]
# `beats(a, b, by=0.02)` is this course's rule for comparing trainings. It pairs the runs by seed; the mean difference
# must be at least two points *and* at least twice its standard error. How often does luck alone get beyond two
# standard errors? Seldom with ten pairs, more often with few: the cell below draws differences that are nothing but
# chance. One run against one run decides nothing. (One epoch cannot say why flips cost so much: a mirrored 2 is no
# digit, but more varied images also take longer to learn.)

# %%
luck = torch.randn(200_000, 10, generator=Generator().manual_seed(0))  # differences that are nothing but chance
for n in (10, 5, 3):
    errors = luck[:, :n].std(1) / n**0.5
    beyond = (luck[:, :n].mean(1) >= 2 * errors).float().mean()
    print(f"{n:2} pairs: once in {1 / beyond:.0f} times beyond two standard errors")

# %% [markdown]
# **More images, more passes.** Two other levers need no new idea. The MLP above took 110 steps on 7,000 images. Now
# it takes 112 on only 250 of them, in 28 passes; and then three passes over all.

# %% tags=["nbval-ignore-output"]
levers = {"250 images": (fit[:250], replace(short, epochs=28)), "three passes": (fit, replace(short, epochs=3))}
for name, (images, longer) in levers.items():
    reached[name] = []
    for seed in seeds:
        torch.manual_seed(seed)
        reached[name].append(Score(seed, learn(mlp().to(device), images, longer, seed, [normalize])))
    print(f"{name:>18}", [f"{run.accuracy:.0%}" for run in reached[name]])

# %% tags=["claim"]
claim(
    "As many steps on 7,000 images instead of 250 are worth at least five points on unseen digits.",
    beats(reached["mean and deviation"], reached["250 images"], by=0.05),
)
claim(
    "Three passes instead of one are worth at least three more.",
    beats(reached["three passes"], reached["mean and deviation"], by=0.03),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Does the order matter?
#
# Suppose nobody shuffles, and the file is sorted: first all zeros, then all ones, and so on. The network sees every
# image three times, as always. How many *unseen* digits will it read right?

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "Sorted by class, no shuffling, three epochs: the accuracy on unseen digits?",
    {
        "about 90 %": "It has seen every image three times, as the shuffled one has. But what did it see last?",
        "about 50 %": "It would have kept five classes. Which, and why those?",
        "about 10 %": "That is what always giving the same answer gets. Would it be the last class?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Collect guesses, with reasons. Usual wrong answer: a little worse. -->

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
by_class = fit[fit.labels.argsort(stable=True)]
longer, unseen = Recipe(epochs=3, learning_rate=0.05), Batches(valid, 1000, [normalize])
lines = {"shuffled": [], "sorted": []}
for seed in seeds[:3]:
    for name, images, order in [("shuffled", fit, Generator(device).manual_seed(seed)), ("sorted", by_class, None)]:
        torch.manual_seed(seed)
        net, line = mlp().to(device), []
        for epoch in train(net, Batches(images, 64, [normalize], order), longer, unseen):
            line.append(epoch)
        lines[name].append(line)
    with torch.no_grad():  # of the last net, trained on sorted digits
        given = net.eval()(normalize(valid.pixels)).argmax(1).bincount(minlength=10).tolist()
    print(f"sorted, seed {seed}: it answers 0, 1, 2 ... so many times: {given}")
plots.curves({name: found[0] for name, found in lines.items()}, "An MLP on shuffled and on sorted digits")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what does the network answer after an epoch that ends with 683 nines? Usual wrong answer: the
# digit. And not always nine, either: look at the printed lines. -->

# %% tags=["claim"]
claim(
    "Shuffled: more than half of the unseen digits right, in each of three runs.",
    all(line[-1].valid.accuracy > 0.5 for line in lines["shuffled"]),
)
claim(
    "Sorted: fewer than one in four, in each of three runs.",
    all(line[-1].valid.accuracy < 0.25 for line in lines["sorted"]),
)

# %% [markdown]
# The network keeps no list of what it has seen; it has only its weights, and every step moves them. A class lasts
# eleven steps. While the sevens pass, every step makes "seven" likelier for *any* image, and no step defends the other
# digits. The last class need not win, though: look at the printed lines. (Why one class wins and not another we have
# not measured.) For evaluation the order is of no consequence: nothing is learnt there, and a mean over the images
# does not ask for their order.

# %%
turned = Batches(test_set, 300, [normalize], Generator().manual_seed(1))
straight, mixed = (evaluate(model, pairs) for pairs in (Batches(test_set, 1000, [normalize]), turned))

# %% tags=["claim"]
claim("In evaluation the order changes nothing.", straight.accuracy == mixed.accuracy)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Train and evaluation mode
#
# `model.train()` and `model.eval()` switch how dropout and batch norm work.

# %% [markdown]
# *Dropout* sets a random part of the values to 0. *Batch norm* brings each channel of a batch to the mean 0 and the
# deviation 1. So they work in training; in evaluation both work in another way.

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

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
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

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what does batch norm do in evaluation mode? Usual wrong answer: nothing, it is switched off.
# -->

# %% [markdown]
# **Nothing to remember.** A forward pass keeps the layers' inputs for the backward pass. In evaluation no backward
# pass comes, so `torch.no_grad()` tells autograd to keep nothing. `evaluate` in the library does it. How many bytes
# are at stake for 64 images?


# %%
def kept_bytes(run):
    kept = {}

    def note(tensor):  # two layers may keep the same tensor: count it once
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    return sum(tensor.nbytes for tensor in kept.values())


# %% tags=["nbval-ignore-output"]
net = cnn()
with_graph = kept_bytes(lambda: net(few))
without_graph = kept_bytes(lambda: evaluate(net, [(few, answers)]))
print(f"kept for a backward pass: {with_graph / 1e6:.1f} MB, with no_grad {without_graph} bytes")

# %% tags=["claim"]
claim(
    "Evaluating without no_grad keeps more than a megabyte for a backward pass that never comes; with it, nothing.",
    with_graph > 1e6 and without_graph == 0,
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which images was it measured on?
#
# Three parts: *training* images for the weights, *validation* images for your decisions, *test* images for one
# number, read once. Why not decide by the test images? They are not trained on.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what harm is there in looking? Usual wrong answer: none, as long as no gradient comes from
# them. -->

# %% [markdown]
# First the right way. Which learning rate? Train with three, compare on the validation part, and read the test part
# for the winner only. (One run for each rate will do only where the gaps are as wide as here; between near ones
# repeat, and use `beats`.)

# %% tags=["nbval-ignore-output"]
candidates, seed = {}, first_seed()
for rate in (0.003, 0.03, 0.3):
    torch.manual_seed(seed)
    net = mlp().to(device)
    candidates[rate] = learn(net, fit, Recipe(epochs=3, learning_rate=rate), seed, [normalize]), net
    print(f"peak rate {rate}: {candidates[rate][0]:.1%} of the validation images")
best = max(candidates, key=lambda rate: candidates[rate][0])
trained = candidates[best][1].cpu()
tested = evaluate(trained, Batches(test_set, 1000, [normalize]))
print(f"{best} wins: {tested.accuracy:.1%} of the test images")

# %% [markdown]
# Now let us do harm. We take the winner and try a random change to its last layer, five hundred times. Whenever 200
# test images do not get worse by it, we keep it. No gradient, no training: only decisions. Will it get better?

# %% tags=["nbval-ignore-output"]
with torch.no_grad():
    hidden = trained.hidden(normalize(test_set.pixels))


@torch.no_grad()
def decide(split, tries=500):
    """Accuracy on the 200 deciding images and on the fresh ones, after each change that is kept."""
    generator = Generator().manual_seed(split)
    deciding, fresh = torch.randperm(len(test_set), generator=generator).split([200, len(test_set) - 200])
    weight, path = trained.classifier.weight, []
    for number in range(tries + 1):
        changed = weight + 0.05 * torch.randn(weight.shape, generator=generator) * (number > 0)
        right = ((hidden @ changed.T + trained.classifier.bias).argmax(1) == test_set.labels).float()
        here, there = right[deciding].mean().item(), right[fresh].mean().item()
        if not path or here >= path[-1][0]:
            weight, path = changed, [*path, (here, there)]
    return path


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
paths = [decide(first_seed() + split) for split in range(5)]
gains = torch.tensor([[path[-1][i] - path[0][i] for i in (0, 1)] for path in paths])
print("changes kept, split by split:", *(len(path) - 1 for path in paths))
plots.decisions(paths, "Five hundred decisions by the same 200 images")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which curve would go into the report? Usual wrong answer: "the upper one, it was measured on
# test images". -->

# %% tags=["claim"]
claim("By the images that decided, the network improved.", gains[:, 0].mean() > 0)
claim("On fresh images it gained nothing, on average over five splits.", gains[:, 1].mean() < 0.005)
claim("The images that decided overstate it by more than a point.", (gains[:, 0] - gains[:, 1]).mean() > 0.01)

# %% [markdown]
# On images that had no say it gained nothing; here it even lost. Of 500 changes only a few were kept, and they were
# chosen by 200 images: what helped these did harm elsewhere. A test part that takes decisions is a validation part,
# and its number is too good. (This chapter looks at the test part often, to show you what happens. A report may not.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The pixel-shuffle test
#
# Two networks of one size, ordinary and shuffled digits, five seeds each. A seed sets the first weights, the order of
# the batches and the permutation.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask them to repeat their prediction from the start, with a number. Usual wrong answer: "both fall to
# chance". -->

# %% [markdown]
# An *arm* of the test is one network on one kind of images. You have trained one arm by hand, the CNN on ordinary
# digits. `run_all` trains any arm the same way and writes down what happened. If you have a GPU and time, write
# `pixel_shuffle.FULL` below: the same test on the 70,000 images of Fashion-MNIST. The shaded bands in the picture are
# ten runs that were recorded with the course, over seeds 0 to 9; the dots are yours.

# %% tags=["nbval-ignore-output"]
size = pixel_shuffle.LIVE
arms = ["mlp-none", "mlp-all", "cnn-none", "cnn-all"]
finished = []
for record in progress(run_all(pixel_shuffle, size, arms), total=len(arms) * size.seeds):
    finished.append(record)
runs = records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
axis = {shuffle: shuffles[shuffle] for shuffle in ("none", "all")}
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
# 87.5 %<!-- pixel-shuffle: cnn, all, mean --> on shuffled ones; the MLP 88.6 %<!-- pixel-shuffle: mlp, none, mean -->
# and 89.0 %<!-- pixel-shuffle: mlp, all, mean -->. Look at the spread too: the shuffled CNN lies anywhere between
# 84.8 %<!-- pixel-shuffle: cnn, all, min --> and 88.8 %<!-- pixel-shuffle: cnn, all, max -->, the shuffled MLP between
# 87.3 %<!-- pixel-shuffle: mlp, all, min --> and 89.8 %<!-- pixel-shuffle: mlp, all, max -->. In two of the ten pairs
# the CNN is ahead: whoever had run only one of those seeds would tell the other story.
#
# Are these numbers about the idea or about the digits? On the 70,000 images of Fashion-MNIST, three recorded runs, the
# CNN falls from 89.0 %<!-- pixel-shuffle-full: cnn, none, mean --> to 85.2 %<!-- pixel-shuffle-full: cnn, all, mean
# -->, and the MLP stays: 85.1 %<!-- pixel-shuffle-full: mlp, none, mean -->, 85.0 %<!-- pixel-shuffle-full: mlp, all,
# mean -->. On *CIFAR-10*, 60,000 photographs of animals and vehicles in colour (chapter 04), it was a LeNet and a
# wider MLP, of 62,000 parameters each, three runs: the CNN falls from 65.5 %<!-- pixel-shuffle-cifar10: cnn, none,
# mean --> to 49.3 %<!-- pixel-shuffle-cifar10: cnn, all, mean -->, and the MLP stays: 48.0 %<!--
# pixel-shuffle-cifar10: mlp, none, mean -->, 47.9 %<!-- pixel-shuffle-cifar10: mlp, all, mean -->. (Our copy of
# CIFAR-10 had been saved as JPEG; its pixels differ a little from the original's.) The direction is the same three
# times, the price is not. The "six points" belong to these digits, nets and recipe.

# %%
full = records.read_all(pixel_shuffle.FULL.name)
photographs = records.read_all(pixel_shuffle.CIFAR.name)

# %% tags=["claim"]
claim(
    "On photographs one order for all costs the CNN at least ten points, and nearly all of its lead.",
    beats(photographs["cnn-none"], photographs["cnn-all"], by=0.1)
    and mean_accuracy(photographs["cnn-all"]) - mean_accuracy(photographs["mlp-all"]) < 0.03,
)
claim(
    "Recorded: on clothes and photographs, too, the MLP does not notice: its mean moves by less than a point.",
    all(abs(mean_accuracy(arms["mlp-none"]) - mean_accuracy(arms["mlp-all"])) < 0.01 for arms in (full, photographs)),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why the MLP cannot notice
#
# Its first layer gives every pixel a weight of its own and adds up. Renumber the pixels, renumber the weights the
# same way: the same products, the same sum.

# %% [markdown]
# $$\sum_j w_j x_j = \sum_j w_{\pi(j)} x_{\pi(j)}$$
#
# So for every MLP trained on ordinary digits there is a *twin* for shuffled ones: the same network with the columns
# of its first weight matrix permuted. And not only afterwards: the gradient of a weight is its pixel's value times
# what comes back from above. Renumber both, and every step of the *training* is the same step. That is a proof, and a
# proof can be run. We train an MLP on ordinary digits, and one on shuffled digits from the permuted start.

# %% tags=["nbval-ignore-output"]
permutation = pixel_shuffle.permutation("all", 28, Generator().manual_seed(7))
moved_set = replace(train_set, pixels=train_set.pixels.flatten(2)[:, :, permutation].view_as(train_set.pixels))
torch.manual_seed(seed)
first = mlp().double()  # double precision: training can magnify a rounding error
second = copy.deepcopy(first)
with torch.no_grad():
    second.hidden[1].weight.copy_(first.hidden[1].weight[:, permutation])
steps = [normalize, torch.Tensor.double]
for net, images in [(first, train_set), (second, moved_set)]:
    for _ in train(net, Batches(images, recipe.batch_size, steps, Generator().manual_seed(seed)), recipe):
        pass
learned = [net.hidden[1].weight.detach() for net in (first, second)]
gap = (learned[1] - learned[0][:, permutation]).abs().max()
print(f"largest difference of a weight after training: {gap:.0e}")

# %%
ordinary = normalize(test_set.pixels).double()
scrambled = ordinary.flatten(2)[:, :, permutation].view_as(ordinary)

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("Trained on shuffled digits from the permuted start, the MLP is the twin, weight by weight.", gap < 1e-6)
claim(
    "On scrambled digits the twin gives the logits that the other gives on ordinary ones.",
    (second(scrambled) - first(ordinary)).abs().max() < 1e-6,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: could you build such a twin for the CNN? Usual wrong answer: permute its 25 kernel weights. The
# window would still see neighbours, and in the shuffled image neighbours are strangers. -->

# %% [markdown]
# The random start does not know the order of the pixels either. So an MLP cannot notice, whatever the digits. Here
# are the first-layer weights, one picture a hidden unit. Those learnt from shuffled digits look like noise. Put every
# weight back where its pixel came from, and the noise is gone.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
back = torch.empty_like(learned[1])
back[:, permutation] = learned[1]
maps = torch.stack([*learned, back]).view(3, 8, 28, 28)
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

# %% [markdown]
# Move pixels only inside blocks of 4×4 (the same way in every block), or of 7×7. The coarse picture stays; what was
# near stays rather near. And, at the other end, give every image a permutation *of its own*: then no network can know
# what a pixel means.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "A permutation of its own for every image: how does the MLP fare, which did not notice the single one?",
    {
        "as before, near 90 %": "Before, pixel 17 was always the same place in disguise. Is it now?",
        "a little worse": "What could it still use? Look for anything that does not depend on where a pixel stands.",
        "exactly at chance": "Nothing in an image would be of use to it. What exactly would have to be lost for that?",
        "low, but above chance": "What would it read in a bag of pixels, and for which digits?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask also for an order: as it is, inside 4×4, inside 7×7, all alike. Usual wrong answer: a shuffle
# inside 4×4 does no harm to a 5×5 window. It does: the window slides, and the blocks do not slide with it. -->

# %% tags=["nbval-ignore-output"]
more = ["cnn-inside4", "cnn-inside7", "cnn-each", "mlp-each"]
for record in progress(run_all(pixel_shuffle, size, more), total=len(more) * size.seeds):
    finished.append(record)
runs |= records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
groups = {
    "CNN": {f"cnn-{shuffle}": name for shuffle, name in shuffles.items()},
    "MLP": {f"mlp-{shuffle}": shuffles[shuffle] for shuffle in ("none", "all", "each")},
}
plots.bands(runs, recorded, groups, "Test accuracy by how far the pixels were moved")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what is left for the CNN in the fourth column? Pooled sums of strangers: still a network,
# without the one idea it is named after. Usual wrong answer: chance. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "The further pixels move, the worse for the CNN: 4×4 blocks cost at least a point.",
    beats(runs["cnn-none"], runs["cnn-inside4"], by=0.01),
)
claim("Blocks of 7×7 cost at least another point.", beats(runs["cnn-inside4"], runs["cnn-inside7"], by=0.01))
claim("The whole image costs at least half a point more.", beats(runs["cnn-inside7"], runs["cnn-all"], by=0.005))
claim(
    "With a permutation of its own for every image both networks stay below 35 %.",
    max(mean_accuracy(runs[arm]) for arm in ("mlp-each", "cnn-each")) < 0.35,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: why above ten per cent at all? A one has less ink than an eight. Usual wrong answer: by luck.
# -->

# %% [markdown]
# Locality comes in degrees, and the CNN's accuracy follows it: 96.0 %<!-- pixel-shuffle: cnn, none, mean --> as it is,
# 94.2 %<!-- pixel-shuffle: cnn, inside4, mean --> inside 4×4, 89.9 %<!-- pixel-shuffle: cnn, inside7, mean --> inside
# 7×7, 87.5 %<!-- pixel-shuffle: cnn, all, mean --> for the whole image. On the 70,000 clothes it falls in the same
# order: 89.0 %<!-- pixel-shuffle-full: cnn, none, mean -->, 87.5 %<!-- pixel-shuffle-full: cnn, inside4, mean -->,
# 86.5 %<!-- pixel-shuffle-full: cnn, inside7, mean -->, 85.2 %<!-- pixel-shuffle-full: cnn, all, mean -->. On the
# photographs it falls, too (blocks of seven do not tile 32 pixels): 65.5 %<!-- pixel-shuffle-cifar10: cnn, none, mean
# -->, 58.9 %<!-- pixel-shuffle-cifar10: cnn, inside4, mean -->, 49.3 %<!-- pixel-shuffle-cifar10: cnn, all, mean -->.
#
# With a permutation for each image, 23.0 %<!-- pixel-shuffle: cnn, each, mean --> of the digits and 21.8 %<!--
# pixel-shuffle: mlp, each, mean --> remain. Where do they come from? Something survives every permutation: the amount
# of ink. Sort the digits by ink alone, and answer with the class that had this much ink most often in training:


# %%
def ink(images):  # the mean byte of each image, in steps of two: 50 bins
    return (images.pixels.float().mean((1, 2, 3)) / 2).long().clamp(max=49)


counts = torch.zeros(50, 10)
counts.index_put_((ink(train_set), train_set.labels), torch.ones(len(train_set)), accumulate=True)
by_ink = (counts.argmax(1)[ink(test_set)] == test_set.labels).float().mean()
print(f"by ink alone: {by_ink:.1%}")
tiling = [shuffle for shuffle in shuffles if shuffle != "inside7"]  # for the photographs

# %% tags=["claim"]
claim("Ink alone gives about as much: between 18 and 28 %.", 0.18 < by_ink < 0.28)
claim(
    "Recorded: clothes and photographs fall in the same order, the further the pixels move.",
    all(beats(full[f"cnn-{a}"], full[f"cnn-{b}"], by=0.005) for a, b in pairwise(shuffles))
    and all(beats(photographs[f"cnn-{a}"], photographs[f"cnn-{b}"], by=0.01) for a, b in pairwise(tiling)),
)

# %% [markdown]
# So the order of the pixels carries the information for the MLP too. It only does not care *which* order, as long as
# it is the same for every image.
#
# On clothes and photographs a permutation for each image leaves more, and above all to the CNN: 36.2 %<!--
# pixel-shuffle-full: cnn, each, mean --> of the clothes against the MLP's 25.5 %<!-- pixel-shuffle-full: mlp, each,
# mean -->, 33.1 %<!-- pixel-shuffle-cifar10: cnn, each, mean --> of the photographs against 23.4 %<!--
# pixel-shuffle-cifar10: mlp, each, mean -->. We had not expected that: where neighbours are strangers, what is a
# window good for? All that survives is which greys or colours an image has, and how much of each. A window that
# slides and is added up finds about the same sums in any order; an MLP has another weight for every place. That may
# be the reason. We have not tested it.

# %% tags=["claim"]
claim(
    "Recorded: on clothes and photographs, with a permutation for each image, the CNN is ahead by eight points.",
    all(beats(arms["cnn-each"], arms["mlp-each"], by=0.08) for arms in (full, photographs)),
)

# %% [markdown]
# ## Does it hold up?
#
# Four sentences that people say about this experiment and about training, each against what was measured. Take a side
# before you read the answer.

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Shuffling the pixels makes the problem impossible for a CNN.",
    all(run.accuracy < 0.2 for run in runs["cnn-all"]),
    because="every one stays far above a guess; a permutation for each image leaves 23 % of digits, elsewhere more",
)
verdict(
    "On shuffled pixels a CNN is worse than an MLP of the same size.",
    [beats(arms["mlp-all"], arms["cnn-all"], by=0) for arms in (recorded, full, photographs)],
    because="on digits the MLP is ahead beyond the noise; on clothes and photographs the CNN, by less than two points",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each sentence before showing this slide. Usual wrong answer: the CNN is lost without
# its neighbours. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "A fully connected network does not care in which order the pixels come.",
    [mean_accuracy(runs["mlp-all"]) > 0.8, mean_accuracy(runs["mlp-each"]) > 0.8],
    because="not in which, but it must be the same one for every image",
)
verdict(
    "An epoch is the number of times the weights are updated.",
    len(Batches(train_set, 64, [normalize])) == 1,
    because="an epoch is one pass over the training images: 125 updates here, 938 for 60,000 images in batches of 64",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what would you need to measure to settle the second sentence? Both networks over many recipes,
# chosen on a validation part. -->

# %% [markdown]
# ## Interrogate the result
#
# Which digits does the CNN get wrong, and how sure is it? Below are the ten test images on which it was wrong and
# most confident.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
with torch.no_grad():
    probabilities = model.eval()(normalize(test_set.pixels)).softmax(1)
confidence, answer = probabilities.max(1)
wrong = (answer != test_set.labels).nonzero().flatten()
worst = wrong[confidence[wrong].argsort(descending=True)[:10]]
captions = [f"{test_set.labels[i]} taken for {answer[i]} ({confidence[i]:.0%})" for i in worst]
plots.images(test_set.pixels[worst], captions, "The ten most confident mistakes", columns=5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of these would you have got right? And: is the network too sure of itself? Usual wrong
# answer: yes, look at it. These ten were picked for being wrong and sure. -->

# %% [markdown]
# The *confidence* is the probability that the network gives to its own answer. Of ten answers given with 90 %, one
# should be wrong. So add up over all 2,000 images what is missing to 100 %: so many mistakes the network itself
# expects.

# %% tags=["nbval-ignore-output"]
expected, made = float((1 - confidence).sum()), len(wrong)
print(f"mistakes that it expects: {expected:.0f}; that it makes: {made}")

# %% tags=["claim"]
claim("It expects between half and twice as many mistakes as it makes.", 0.5 < expected / made < 2)

# %% [markdown]
# Some are badly written; a few you would read at once. And the network seems far too sure of itself. But these ten
# were picked for being wrong *and* sure; they say nothing about the rest. Over all images this one network makes about
# as many mistakes as it expects. A picture of chosen cases is no measurement.
#
# <details><summary>Further: why the shuffled CNN is not lost</summary>
#
# Its last layers are fully connected and could read any order. The first convolution does not lose much: its windows
# overlap, and it makes 3,456 numbers of 784 pixels. The squeeze comes later: 864 behind the first pool, 384, then 96.
# On the way kernels shared by all places find nothing that means the same at each, and each maximum compares
# strangers. That may be what hurts; we have not tested it. Yet the 96 numbers that arrive still hold much of the
# digit, and the fully connected layers read what they can.
#
# </details>
#
# <details><summary>Further: where the test comes from</summary>
#
# The exercise with these two networks, 6,442 and 6,422 parameters, comes from the deep learning course of Alfredo
# Canziani and Yann LeCun at New York University (2020). There it is one run of one epoch, and its outcome has been
# retold as a fact. Here it is five runs live and ten recorded ones, and the sentence "the CNN is then worse than the
# MLP" turns out to depend on the data and the recipe.
#
# </details>

# %% [markdown]
# ## One question ahead: what does a shortcut do?
#
# Why not more layers? He and others (2015) found that a network of 56 layers fits even its *training* images worse
# than one of 20, and that a *shortcut* mends it: the input of every two layers is added to their output. The usual
# explanation: on its long way back the gradient vanishes, and the shortcut carries it. (It is not theirs: with batch
# norm, they write, neither forward nor backward signals vanish.) Look, before any training. How strongly does the loss
# pull at each convolution's weights?

# %% tags=["nbval-ignore-output"]
sample, targets = Pad(2)(normalize(train_set.pixels[:32])), train_set.labels[:32]
pulls = {}
for make in (plain56_cifar, resnet56_cifar):
    for number in range(first_seed(), first_seed() + 3):
        torch.manual_seed(number)
        pulls[make.__name__, number] = [norm for _, norm in gradient_norms(make(in_channels=1), sample, targets)][:-1]
        at_first, *_, at_last = pulls[make.__name__, number]
        print(f"{make.__name__:>14}: {at_first:8.2f} at the first convolution, {at_last:.2f} at the last")
bare, shortcuts = ([line for (name, _), line in pulls.items() if name.startswith(kind)] for kind in ("plain", "res"))

# %% tags=["claim"]
claim(
    "Without shortcuts the pull on the first convolution is over a hundred times that on the last: nothing vanishes.",
    all(line[0] > 100 * line[-1] for line in bare),
)
claim(
    "With shortcuts the pulls on all convolutions lie within a factor of thirty.",
    all(max(line) < 30 * min(line) for line in shortcuts),
)

# %% [markdown]
# Both networks hold batch norm, and with it the gradient of the plain one does not vanish. It grows, and the layers
# pull with very unequal force. What the shortcut does for accuracy, and what it does not do, is measured in chapter
# 09.

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
# dropout and batch norm, and it may come straight from training. Asked twice, it must answer the same; no weight and
# no running average may change (it may stay in evaluation mode); and no graph is to be built, for nobody will call
# `backward`.


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
# `pixels / 255`, each from three seeds. Yours passes when it is five points better by `beats`. There is more than one
# answer. When you have one, look for a second: is it the transform that is better, or would a larger learning rate
# have done the same?


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
# - One permutation of all pixels costs the CNN four points on clothes, sixteen on photographs; the MLP nothing.
# - A convolution assumes that neighbours belong together, everywhere alike.
# - Shuffle. Switch modes. Decide on validation images. Repeat over seeds.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the five lines of the loop from memory, then compare. -->

# %% [markdown]
# Eight questions that students ask, and where the course has measured the answer by now:
#
# 1. *What does `shuffle` do?* "An order, and an epoch"; and what happens without it, "Does the order matter?"
# 2. *What do different values in a transform do?* "A batch"; and what they cost, "What each part is worth".
# 3. *What is an epoch, what is a batch?* "An order, and an epoch", and the last verdict.
# 4. *What does a 1×1 convolution do, and how does a fully connected layer differ?* Chapter 01.
# 5. *Why does residual learning raise the accuracy?* "One question ahead" tests the usual answer; more in chapter 09.
# 6. *How does today's LeNet differ from the LeNet of 1998?* Chapter 02.
# 7. *How can a shortcut be added where the maps shrink?* Chapter 02.
# 8. *How to raise the accuracy further?* More images, more passes, another transform: "What each part is worth".
#    Another network: the test itself.
#
# **Sources.** A. Canziani, Y. LeCun, *Deep Learning*, New York University, 2020, practicum 3: the two networks and
# the permutation. S. Ioffe, C. Szegedy, *Batch Normalization*, 2015, arXiv:1502.03167. N. Srivastava and others,
# *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 15, 2014. L. Smith, N. Topin,
# *Super-Convergence*, 2017, arXiv:1708.07120: the one-cycle rate. K. He and others, *Deep Residual Learning for Image
# Recognition*, 2015, arXiv:1512.03385. Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*.
#
# **Next**, chapter 04: LeNet, the network that these digits were collected for. **Before**, chapter 02: pooling,
# fully connected layers, receptive fields.
