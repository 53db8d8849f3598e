# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Network in Network
#
# AlexNet and VGG keep nine in ten of their parameters in matrices at the end. What if each window had a small network
# of its own, and the end had none?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: what is a 1×1 convolution good for? Usual answers: "to lower the number of maps", "it replaces
# the fully connected layer". The first is chapter 08; the second is put on trial today. -->

# %% [markdown]
# This chapter takes about an hour; its code runs in a minute or two. You need convolutions and 1×1 kernels (chapter
# 01), pools (02), training and `beats` (03), and AlexNet (05). You will leave able to build NiN from its table, to say
# where its parameters are and why they are so few, to place dropout where it does not stop a network from learning,
# and to look at *where* a network sees its answer.
#
# **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked for a prediction,
# commit to one before you run on. The exercises stand together at the end.

# %%
import copy

import torch
from torch import Generator, nn
from torch.nn import functional as F

# %%
from cnnlib import plots, records
from cnnlib.analysis import receptive_field, recording, summary
from cnnlib.claims import Score, beats, claim, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.datasets import digits
from cnnlib.experiments import ladder, nins
from cnnlib.experiments.running import run_all
from cnnlib.models import alexnet, googlenet, nin, nin_cifar, resnet18
from cnnlib.models.nin import initialise
from cnnlib.training import default_device, first_seed, train

device = default_device()
torch.set_num_threads(1)  # nets as small as these are quicker on one core than on several that must agree

# %% [markdown]
# ## The question
#
# Behind its last convolution AlexNet lays 256 maps of 6×6 out in a row and multiplies by three matrices (chapter 05).
# They hold 96 % of its parameters, fit images of one size only, and give each place weights of its own, though the
# same shirt may hang a little further left. Chapter 06 found, in a net of 2014, that behind the last block the *mean*
# of each map says nearly as much about the class as all its places. Lin, Chen and Yan had built on that in December
# 2013 [1].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A network in each window
#
# A kernel gives one weighted sum of its window. Put a small network in its place, let it slide over the image, and
# keep its answers for each place: an *mlpconv* layer.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Draw a window, an arrow to a list of numbers, two small layers on the list. Ask: how does one build
# that from layers you know? Usual wrong answer: with fully connected layers, and a loop. -->

# %% [markdown]
# What can a network ask that a kernel cannot? "Is there an edge here, whichever side is bright?" A kernel must choose
# a side: take one whose weights add up to 0; on the negative of an image its sums change their signs, and ReLU
# removes what it found. Four kernels and one layer of 1×1 kernels behind them can ask it. Here are their weights,
# made by hand:

# %%
digit = digits()[1].pixels[4:5].float() / 255
down = torch.tensor([[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]]) / 3
kernels = torch.stack([down, -down, down.T, -down.T])[:, None]  # four maps: bright above, below, left, right
mix = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1).expand(2, 4, 1, 1)  # the sum of the four, and three times the sum ...
bias = torch.tensor([0.0, -3.0])  # ... less three: above 0 only where more than one of them is strong


def asks(image):
    found = F.conv2d(image, kernels).relu()
    return found, F.conv2d(found, mix, bias).relu()


found, mixed = asks(digit)
found_negative, mixed_negative = asks(1 - digit)

# %% slideshow={"slide_type": "slide"}
sheets = [digit[0, 0], *found[0], *mixed[0]]
captions = ["a digit", "bright above", "bright below", "bright left", "bright right", "any edge", "two at once"]
says = "Each of the four kernels finds one side of the strokes, any edge is the outline, two at once its slanted parts."
plots.maps(sheets, captions, "Four kernels, and two questions that a 1×1 layer asks of them", columns=4, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask for the weights of the second question: four threes, bias -3. Why -3? One edge alone adds up to
# three at most. Usual wrong answer: a larger kernel could do it; no single kernel can, however large. -->

# %% tags=["claim"]
claim(
    "Both questions get the same answer on the negative of the digit.",
    torch.allclose(mixed, mixed_negative, atol=1e-5) and mixed.amax((2, 3)).min() > 0.1,
)
claim(
    "A kernel and its ReLU do not: where each of the four finds something, it finds nothing on the negative.",
    float((found * found_negative).max()) < 1e-6,
)

# %% [markdown]
# So an mlpconv layer is a convolution with 1×1 convolutions behind it, each with its ReLU. (Others call it a *NiN
# block*. A convolution, ReLU and dropout alone, as one text has it, is none: the 1×1 are missing.)


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def mlpconv(inputs, window, step, padding, widths):
    layers = []
    for width in widths:
        conv = nn.Conv2d(inputs, width, window, step, padding)
        layers += [conv, nn.ReLU()]
        inputs = width
        window, step, padding = 1, 1, 0  # from the second on
    return nn.Sequential(*layers)


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: why must the step and the padding be reset too? Usual wrong answer: only the window changes;
# then the maps shrink at each 1×1, or grow a border. -->

# %% [markdown]
# Is that the sliding network? Cut all windows out, give each to an ordinary small network of matrices (75 numbers in,
# 16, 12, 8 out), and compare. Beside it the simplest case: one 1×1 convolution, and a fully connected layer used at
# each pixel.

# %%
torch.manual_seed(0)
widths = [nn.Linear(75, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU()]
mlp, layer = nn.Sequential(*widths), mlpconv(3, 5, 1, 0, (16, 12, 8))
layer.load_state_dict({name: p.view_as(layer.state_dict()[name]) for name, p in mlp.state_dict().items()})
images = torch.randn(2, 3, 14, 12)
windows = F.unfold(images, 5)  # N×75×places: every window as a column
one_by_one = mlp(windows.movedim(1, 2)).movedim(2, 1).view(2, 8, 10, 8)

# %%
five_by_seven = torch.randn(2, 16, 5, 7)
pointwise, everything = nn.Conv2d(16, 8, 1), nn.Linear(16 * 5 * 7, 8 * 5 * 7)
at_each_pixel = F.linear(five_by_seven.movedim(1, 3), pointwise.weight[:, :, 0, 0], pointwise.bias).movedim(3, 1)
sizes = {}
for name, part in {"1×1 convolution": pointwise, "fully connected layer": everything}.items():
    sizes[name] = sum(p.numel() for p in part.parameters())
    print(f"{name}, 16×5×7 to 8×5×7: {sizes[name]:,} parameters")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("An mlpconv layer is a small network, run on every window.", torch.allclose(layer(images), one_by_one, atol=1e-5))
claim(
    "A 1×1 convolution is one fully connected layer, shared by all pixels.",
    torch.allclose(pointwise(five_by_seven), at_each_pixel, atol=1e-5),
)
claim("It has 136 parameters; a layer from all numbers to all 157,080.", [*sizes.values()] == [136, 157_080])

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the two counts grows with the size of the map? Usual wrong answer: both. And: does the
# first replace the second? It mixes maps at a place; it never brings two places together. -->

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One map a class, and its mean
#
# At the end, a last 1×1 convolution makes one map for each class. The mean of a map is the logit of its class. A mean
# has no weights: *global average pooling*.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what does a place of the map of "boot" say? How much it speaks for a boot. Usual wrong answer:
# the probability that there is one; the numbers may be negative, softmax comes after the mean. -->

# %% [markdown]
# A 1×1 convolution is a sum, and so is a mean. So one may as well take the means of the 1,024 maps first, and then
# multiply them by one small matrix. The two orders give the same logits:

# %%
last_maps, to_classes = torch.randn(2, 1024, 6, 6), nn.Conv2d(1024, 10, 1)
maps_first = to_classes(last_maps).mean((2, 3))
means_first = F.linear(last_maps.mean((2, 3)), to_classes.weight[:, :, 0, 0], to_classes.bias)
rectified = to_classes(last_maps).relu().mean((2, 3))

# %% tags=["claim"]
claim(
    "Maps of the classes, then their means; or means, then a matrix: the same logits.",
    torch.allclose(maps_first, means_first, atol=1e-5),
)
claim("Not so with a ReLU on the maps of the classes.", (rectified - means_first).abs().max() > 0.1)

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "A network ends in 1,024 maps of 6×6. Put AlexNet's three matrices there. Their parameters?",
    {
        "about 1 million": "One weight a map and class. And what does a matrix do with the 36 places of a map?",
        "about 59 million, as in AlexNet": "AlexNet ends in 256 maps. Which of its matrices notices the difference?",
        "about 170 million": "Which of the three has most of it? What did you multiply?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Let them multiply 1,024·36·4,096 in their heads, roughly: 150 million. Usual wrong answer: as in
# AlexNet, for the matrices are called the same. -->

# %% [markdown]
# What comes before the head is called the *trunk*. Three ends of a trunk, and two heads for each:


# %%
def matrices(numbers, hidden=4096, classes=1000):
    return (numbers + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * classes


ends = {"AlexNet": (256, 6), "VGG-16": (512, 7), "NiN": (1024, 6)}
heads = {name: (matrices(maps * side * side), (maps + 1) * 1000) for name, (maps, side) in ends.items()}
print("                      three matrices   a map a class, and its mean")
for (name, (count, side)), (large, small) in zip(ends.items(), heads.values()):
    print(f"{name:8}{count:5} of {side}×{side}{large:18,}{small:18,}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "AlexNet's three matrices have 58,631,144 parameters; one map a class 257,000.",
    heads["AlexNet"] == (58_631_144, 257_000),
)
claim("On NiN's 1,024 maps it would be 172 million against one.", [round(n / 1e6) for n in heads["NiN"]] == [172, 1])

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what is given up for it? The place: a mean cannot tell a boot at the left from one at the
# right. Usual wrong answer: nothing. -->

# %% [markdown]
# **What came before, what was new, what was dropped.** Before: convolutions with one weighted sum a window, and
# hidden matrices at the end, which overfit unless dropout holds them back [1, 2]. New: the mlpconv layer, and the
# mean of a map as a logit. Both stayed, in parts. GoogLeNet took the 1×1 convolution to make convolutions cheap, and
# the mean, it says, from NiN ([3], chapter 08); ResNet and DenseNet end in the mean as well. The three-in-a-row of
# mlpconv did not become the rule: later blocks put a 1×1 convolution before a larger one, or behind it.
#
# ## Built from a table
#
# A row is an mlpconv layer: window, step, padding, whether a pool follows, and the widths. The widths are those of
# the authors' own configuration files; the paper gives none, and trains on small images only: the first table is from
# their file for ImageNet. The last 1×1 convolution, one map a class, belongs to the head.

# %% tags=["show-code"] slideshow={"slide_type": "slide"}
IMAGENET = [  # window, step, padding, pool, widths
    (11, 4, 0, True, (96, 96, 96)),
    (5, 1, 2, True, (256, 256, 256)),
    (3, 1, 1, True, (384, 384, 384)),
    (3, 1, 1, False, (1024, 1024)),
]
CIFAR = [
    (5, 1, 2, True, (192, 160, 96)),
    (5, 1, 2, True, (192, 192, 192)),
    (3, 1, 1, False, (192, 192)),
]


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: where have you seen the first numbers of each row? In AlexNet: 96 of 11×11, 256 of 5×5, 384 of
# 3×3. Usual wrong answer: the tables are new; what is new stands behind the first number of each bracket. -->


# %%
def stage(inputs, window, step, padding, pool, widths, last):
    """An mlpconv layer, perhaps a pool; behind all layers but the last, dropout."""
    layers = [mlpconv(inputs, window, step, padding, widths)]
    if pool:
        layers.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))  # the last window may hang over the edge
    if not last:
        layers.append(nn.Dropout(0.5))
    return nn.Sequential(*layers)


# %%
class NiN(nn.Module):
    def __init__(self, rows, inputs=3, classes=1000):
        super().__init__()
        self.features = nn.Sequential()
        for row in rows:
            self.features.append(stage(inputs, *row, last=row is rows[-1]))
            inputs = row[-1][-1]
        self.classifier = nn.Sequential(nn.Conv2d(inputs, classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, x):
        return self.classifier(self.features(x))


# %%
with torch.device("meta"):  # shapes without numbers
    ours, x = NiN(IMAGENET), torch.empty(1, 3, 224, 224)
shapes = ["3×224×224"]
for each in [part for stage_of in ours.features for part in stage_of] + list(ours.classifier):
    x = each(x)
    if not isinstance(each, nn.Dropout):
        shapes.append("×".join(map(str, x.shape[1:])))
print(" → ".join(shapes))

# %% [markdown]
# ### Proof card
#
# The same weights in our two networks and in the library's: equal logits?

# %%
same, counts = [], []
for rows, library, classes, side in [(IMAGENET, nin(), 1000, 224), (CIFAR, nin_cifar(), 10, 32)]:
    ours = NiN(rows, classes=classes).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), library.state_dict().values())))
    image = torch.randn(1, 3, side, side)
    with torch.no_grad():
        same.append(torch.allclose(ours(image), library.eval()(image), atol=1e-5))
    counts.append(sum(p.numel() for p in ours.parameters()))
    print(f"{counts[-1]:,} parameters, {sum(isinstance(part, nn.Conv2d) for part in ours.modules())} convolutions")

# %% tags=["claim"]
claim("Our two networks are the library's: equal weights, equal logits.", same == [True, True])
claim("NiN for 224 pixels has 7,595,176 parameters, the one for CIFAR-10 966,986.", counts == [7_595_176, 966_986])
claim(
    "At 224 pixels the maps have sides of 54, 27, 13 and 6.",
    [shapes[place].split("×")[1] for place in (1, 3, 5, 7)] == ["54", "27", "13", "6"],
)

# %% [markdown]
# (NiN is not among torchvision's models, so the reference is our library; its tests hold it to the authors' tables.)
#
# ## Where the parameters are
#
# AlexNet has 61 million parameters, NiN 7.6. It is often said that the 1×1 convolutions save them. Before you look:
# seven of its twelve convolutions are hidden 1×1 ones. Take these out and keep the rest.

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "NiN without its seven hidden 1×1 convolutions: how many of the 7.6 million parameters are left?",
    {
        "more than before: the 1×1 save parameters": "Which layer becomes smaller where one is added?",
        "about 6 million": "Which layers hold them? And what do the 1×1 save?",
        "less than 1 million": "How many weights has one convolution from 256 to 384 maps with windows of 3×3?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. A vote by hands. Usual wrong answer: more, since "1×1 convolutions reduce parameters". They do where
# they make maps fewer before a large window: in the table for CIFAR-10, and in chapter 08. -->

# %% [markdown]
# By hand: a convolution from $a$ to $b$ maps with windows of $k \times k$ has $k^2 a b$ weights and $b$ biases, and
# uses each weight at every place of its map.

# %%
counted, inputs = [], 3
for (window, _, _, _, widths), side in zip(IMAGENET, (54, 27, 13, 6)):
    for maps in widths:
        counted.append((window, window * window * inputs * maps + maps, window * window * inputs * maps * side * side))
        inputs, window = maps, 1
counted.append((0, 1024 * 1000 + 1000, 1024 * 1000 * 6 * 6))  # one map a class
groups = {
    "four with windows": [row for row in counted if row[0] > 1],
    "seven hidden 1×1": [row for row in counted if row[0] == 1],
    "one map a class": [row for row in counted if row[0] == 0],
}
for name, rows in {**groups, "all": counted}.items():
    print(f"{name:18}{sum(row[1] for row in rows):10,} parameters{sum(row[2] for row in rows):15,} multiply-adds")

# %%
with torch.device("meta"):
    costs, of_alexnet = (summary(net, (3, 224, 224)) for net in (nin(), alexnet()))
whole = costs[-1]
print(f"AlexNet {of_alexnet[-1].parameters:,}, NiN {whole.parameters:,}")
hidden = sum(row[1] for row in groups["seven hidden 1×1"])
with_matrices = whole.parameters - heads["NiN"][1] + heads["NiN"][0]
print(f"without the hidden 1×1: {whole.parameters - hidden:,}")
print(f"with three matrices in place of one map a class: {with_matrices:,}")
widths = [3, *(row[-1][0] for row in CIFAR), 10]  # maps of the windows alone, from the colours to the classes
bare = sum((row[0] ** 2 * a + 1) * b for row, a, b in zip([*CIFAR, (1,)], widths, widths[1:]))
of_cifar = sum(p.numel() for p in nin_cifar().parameters())
print(f"the net for CIFAR-10: {of_cifar:,}, without its hidden 1×1 {bare:,}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "The count by hand is that of the library, for parameters and multiply-adds.",
    (sum(row[1] for row in counted), sum(row[2] for row in counted)) == (whole.parameters, whole.macs),
)
claim("Here the hidden 1×1 save nothing: they are 20 % of the parameters.", round(hidden / whole.parameters, 2) == 0.2)
claim("With matrices in the place of the mean it would have 178 million.", round(with_matrices / 1e6) == 178)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: so what are the 1×1 for, if not to save? More ReLUs, a network in each window. Usual wrong
# answer: then they are useless; that is a question for an experiment. -->

# %% [markdown]
# Not so in the table for CIFAR-10. There the 1×1 convolutions of the first row lower 192 maps to 96 before a 5×5, and
# so they save. A 1×1 saves where it makes maps fewer before a large window: that is chapter 08.

# %% tags=["claim"]
claim(
    "Without its hidden 1×1 the net for CIFAR-10 would have more parameters, by over a quarter.", bare > 1.25 * of_cifar
)

# %%
plots.costs(costs, "NiN: where its parameters, its work and its memory are")

# %% tags=["claim"]
claim(
    "The last window, from 384 maps to 1,024, has 47 % of the parameters; the 5×5, at 27×27 places, 41 % of the work.",
    (round(counted[9][1] / whole.parameters, 2), round(counted[3][2] / whole.macs, 2)) == (0.47, 0.41),
)

# %% [markdown]
# ## A start that keeps images apart
#
# Nine convolutions in a row, no batch norm: does the signal get through? Its size does, with He's start (chapter 06).
# What else could get lost?
#
# From here on we use a small NiN on digits: the plan for CIFAR-10 with a sixth of the maps. To be quick, its first
# windows move in steps of two; in return the second pool is left out, so that the last maps are 8×8 as in the paper's
# plan.
#
# What a ReLU lets through is never negative. So a random kernel, whatever the image, sees above all the *mean* of its
# inputs, times the sum of its weights. Layer by layer this common part grows, and what differs from image to image
# drowns. Let us measure it: of the squares of a convolution's outputs, which share differs between 64 digits?

# %%
SMALL = [(5, 2, 2, True, (32, 26, 16)), (5, 1, 2, False, (32, 32, 32)), (3, 1, 1, False, (32, 32))]


def share_that_differs(net, images):
    names = [name for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad(), recording(net.eval(), *names) as outputs:
        net(images)
    return [float(maps.var(0).sum() / maps.square().mean(0).sum()) for maps in outputs.values()]


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
train_set, test_set = nins.LIVE.load()
steps, differs = [Pad(2), Normalize(train_set)], {}
few = steps[1](steps[0](train_set.pixels[:64]))
for name, start in {"He's start": nins.he, "kernels of mean zero": initialise}.items():
    torch.manual_seed(first_seed())
    net = NiN(SMALL, 1, 10)
    start(net)
    differs[name] = share_that_differs(net, few)
layers = [f"{number}" for number in range(1, 10)]
plots.by_layer(
    differs, layers, "share that differs", "What differs between images, convolution 1 to 9, before training"
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: at the last convolution, how alike are the logits of two digits? Usual wrong answer: they are
# random, so they differ. -->

# %%
kept = {name: shares[-1] / shares[0] for name, shares in differs.items()}
at_the_end = records.read_all(nins.LIVE.name)

# %% tags=["claim"]
claim(
    "From He's start less than half of the differing share is left at the maps of the classes.",
    kept["He's start"] < 0.5,
)
claim("From kernels of mean zero more than three quarters.", kept["kernels of mean zero"] > 0.75)
claim(
    "Recorded, ten pairs of runs, in the mean: the shift is worth at least ten points.",
    beats(at_the_end["paper"], at_the_end["he"], by=0.1),
)

# %% [markdown]
# The cure is one line: draw by He's rule, then shift each kernel to mean zero, from the second convolution on. Trained
# as below, the net then reads 76 %<!-- nins: paper, mean --> of unseen digits in the mean of ten runs, and from He's
# start alone 59 %<!-- nins: he, mean -->, in the worst run 31 %<!-- nins: he, min -->. (In nine pairs of ten the shift
# is ahead; both have the rate that suits the shifted net best.) Start and shift are the library's, not the paper's.
# From the authors' files the library differs in three more things: no ReLU on the maps of the classes, for a class
# that is 0 on every image would get no gradient; the maximum in every pool, as the paper says (in a later CIFAR file
# of theirs the second averages); dropout behind every mlpconv layer but the last, as the paper says (in their ImageNet
# file only behind the third).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where to drop
#
# The paper drops behind each mlpconv layer but the last, half of the numbers by its authors' files. A published
# listing builds NiN of this unit, for every convolution:


# %% tags=["show-code"] slideshow={"slide_type": "fragment"}
def unit(inputs, maps, window, step, padding):
    return nn.Sequential(
        nn.Conv2d(inputs, maps, window, step, padding),
        nn.BatchNorm2d(maps),
        nn.ReLU(),
        nn.Dropout(0.5),
    )


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what is new in it, against 2013? Batch norm is of 2015. Then: which half of the numbers arrives
# behind nine such units? Usual wrong answer: half. -->


# %%
def listing_net():
    layers, inputs = [], 1
    for window, step, padding, pool, widths in SMALL:
        for width in widths:
            layers.append(unit(inputs, width, window, step, padding))
            inputs, window, step, padding = width, 1, 1, 0
        layers += [nn.MaxPool2d(3, stride=2, ceil_mode=True)] if pool else []
    return nn.Sequential(*layers, unit(inputs, 10, 1, 1, 0), nn.AdaptiveAvgPool2d(1), nn.Flatten())


ours, theirs = listing_net().eval(), nins.build(nins.ARMS["listing"]).eval()
ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values())))
with torch.no_grad():
    both = ours(few), theirs(few)

# %% tags=["claim"]
claim("Nine such units are the listing's net of the runs below.", torch.allclose(*both, atol=1e-5))

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Small NiNs, 3,000 digits, as many passes each. What does the listing's dropout do on unseen digits?",
    {
        "it is best: most dropout, least overfitting": "How well must a net do on what it has seen, to overfit?",
        "a few points worse": "What is the price of one? And do nine in a row cost nine times that?",
        "it reads hardly more than a guess": "Which of the nine would do the harm, or would it take all of them?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Everyone writes a number. Usual wrong answer: the first, "dropout regularises, so more regularises
# more". -->

# %% [markdown]
# In our small net that makes two dropouts in the paper's way, nine in the listing's (which has twelve units itself,
# for 224 pixels). First the paper's, without batch norm, by hand, with the network that you have built:

# %% tags=["nbval-ignore-output"]
size, seed = nins.LIVE, first_seed()
train_set, test_set = (images.to(device) for images in size.load())
torch.manual_seed(seed)
model = NiN(SMALL, 1, 10)
initialise(model)
batches = Batches(train_set, size.recipe.batch_size, steps, Generator(device).manual_seed(seed))
history = []
for epoch in progress(train(model.to(device), batches, size.recipe)):
    history.append(epoch)
print(size.recipe, f"{sum(p.numel() for p in model.parameters()):,} parameters", sep="\n")
print("right in training, pass by pass:", [f"{epoch.train.accuracy:.0%}" for epoch in history])

# %% [markdown]
# Now three seeds of each: the paper's placement; the same with batch norm behind every convolution but the last; the
# listing; and a fourth for later, whose head is a matrix. Each kind has its own learning rate, chosen among three on
# digits set apart (those runs were not kept); He's start takes that of the shifted one. We keep the nets, to look into
# them afterwards.

# %% tags=["nbval-ignore-output"]
print({arm: size.recipe.learning_rate * nins.ARMS[arm].rate for arm in ("paper", "norm", "listing", "matrix")})
finished, nets, seeds = [], {}, range(seed, seed + size.seeds)
for record in progress(run_all(nins, size, ["paper"]), total=size.seeds):
    finished.append(record)
same_loss = abs(history[0].train.loss - finished[0].epochs[0]["loss"]) < 1e-3


# %% tags=["nbval-ignore-output"]
def train_and_keep(*arms):
    for number, arm in progress([(number, arm) for number in seeds for arm in arms]):
        nets[arm, number], record = nins.trained(arm, number, size, device)
        finished.append(record)


train_and_keep("listing", "norm")
runs = records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
places = {"none": "nowhere, BN", "norm": "paper's, BN", "paper": "paper's"}
places |= {"hidden": "all hidden, BN", "listing": "listing, BN", "hidden-plain": "all hidden"}
plots.bands(runs, recorded, {"NiN": places}, "Test accuracy by the place of dropout (BN: with batch norm)")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Bands: ten recorded runs; dots: yours. Ask: is it dropout that hurts, or batch norm, or both
# together? The last place has no batch norm, and sleeps as well. Usual wrong answer: it is batch norm. -->

# %% tags=["claim"]
claim("Your network and the library's begin alike: the same loss after one pass.", same_loss)
claim(
    "Recorded: without norm, ReLU and dropout on the maps of the classes more is right in training, in every run; in "
    "evaluation such a net stays below 25 %.",
    all(a.epochs[-1]["accuracy"] > b.epochs[-1]["accuracy"] for a, b in zip(recorded["hidden"], recorded["listing"]))
    and max(run.accuracy for run in recorded["hidden"]) < 0.25,
)
claim(
    "Recorded: without batch norm, too, dropout behind every hidden convolution keeps it below 25 %.",
    max(run.accuracy for run in recorded["hidden-plain"]) < 0.25,
)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "With the paper's dropout every run leaves chance: more than three in ten unseen digits right.",
    all(run.accuracy > 0.3 for run in runs["paper"]),
)
claim("With batch norm as well, more than three in four.", all(run.accuracy > 0.75 for run in runs["norm"]))
claim(
    "With the listing's, every run stays near a guess: below 25 %.", all(run.accuracy < 0.25 for run in runs["listing"])
)
claim("Recorded, ten seeds of the paper's: none below half.", min(run.accuracy for run in recorded["paper"]) > 0.5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: would anyone notice that a listing does not learn? It runs, its shapes are right, its
# parameters can be counted. Usual wrong answer: surely somebody has trained it. -->

# %% [markdown]
# Over ten recorded runs the paper's placement reads 76 %<!-- nins: paper, mean --> of unseen digits without batch
# norm, in the worst run 54 %<!-- nins: paper, min -->, and 90 %<!-- nins: norm, mean --> with it. The listing reads
# 12 %<!-- nins: listing, mean -->. With batch norm and no dropout at all it is 95 %<!-- nins: none, mean -->: in two
# passes over 3,000 digits there is nothing yet to overfit.
#
# ### Does the listing learn nothing?
#
# Compare what it got right in *training*, with nine dropouts at work, and in evaluation, where nothing is dropped.

# %% tags=["nbval-ignore-output"]
unseen, answers = steps[1](steps[0](test_set.pixels[:1000])), test_set.labels[:1000]
for record in runs["listing"]:
    with torch.no_grad():
        given = nets["listing", record.seed].eval()(unseen).argmax(1)
    print(f"seed {record.seed}: {record.epochs[-1]['accuracy']:.0%} right in training,", end=" ")
    print(f"{record.accuracy:.0%} in evaluation; its answers, 0 to 9: {given.bincount(minlength=10).tolist()}")

# %% tags=["claim"]
claim(
    "In training it is right more often than in evaluation, in every run.",
    all(run.epochs[-1]["accuracy"] > run.accuracy + 0.05 for run in runs["listing"]),
)

# %% [markdown]
# One answer for nearly all. What else changes between the two modes? Batch norm: in training it divides by the
# deviation of the batch, in evaluation by the one it has collected in training (chapter 03). But it was collected
# behind dropout, which doubles what it keeps: the mean stays, the squares grow. With nothing dropped the numbers vary
# less than batch norm was told, and what it gives is too small. By how much? Behind a ReLU, from sums of mean 0 and
# deviation 1:

# %%
sums = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(100_000) + 0.5) / 100_000)
behind = sums.relu()
mean, square = behind.mean(), behind.square().mean()
quiet, noisy = square - mean**2, 2 * square - mean**2  # a half becomes 0, a half is doubled
print(f"variance {quiet:.3f}, with dropout {noisy:.3f}: what is left of the deviation, {(quiet / noisy).sqrt():.2f}")
print(f"after seven of them: {(quiet / noisy).sqrt() ** 7:.3f}")

# %% [markdown]
# A factor of 0.64 for each convolution, if they all were like that; they need not be. Measure it: how large is what
# each batch norm of the listing's net puts out, whose deviation should be near 1?


# %%
def deviations(net):
    names = [name for name, layer in net.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    with torch.no_grad(), recording(net, *names) as outputs:
        net(unseen)
    return [float(maps.std((0, 2, 3)).mean()) for maps in outputs.values()][:8]


# %%
def averaged_anew(net):
    """The same weights; batch norm's averages collected again, with nothing dropped."""
    net = copy.deepcopy(net).train()
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
    with torch.no_grad():
        for images, _ in Batches(train_set, 500, steps):
            net(images)
    return net.eval()


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
listing = nets["listing", seed]
sizes_of = {"in training": deviations(copy.deepcopy(listing).train()), "in evaluation": deviations(listing.eval())}
sizes_of["averages taken anew"] = deviations(averaged_anew(listing))
layers = [str(number) for number in range(1, 9)]
plots.by_layer(sizes_of, layers, "deviation behind batch norm", "The listing's net, convolution 1 to 8")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. One step of the scale is a factor. Ask: why does the first layer not shrink? Nothing is dropped in
# front of it. Usual wrong answer: dropout is off in evaluation, so it can do no harm there. -->

# %% tags=["nbval-ignore-output"]
mended = {}
for number in seeds:
    with torch.no_grad():
        right = [
            (net(unseen).argmax(1) == answers).float().mean().item()
            for net in (nets["listing", number], averaged_anew(nets["listing", number]))
        ]
    mended[number] = [Score(number, share) for share in right]
    print(f"seed {number}: {right[0]:.0%}, with averages taken anew {right[1]:.0%}")
as_it_is, anew = zip(*mended.values())
with torch.no_grad():
    of_norm = [Score(k, float((nets["norm", k].eval()(unseen).argmax(1) == answers).float().mean())) for k in seeds]

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "In evaluation less than a fifth of the deviation is left behind the eighth convolution.",
    sizes_of["in evaluation"][-1] < 0.2 * sizes_of["in training"][-1],
)
claim("New averages, not one weight changed: at least 15 points better.", beats(anew, as_it_is, by=0.15))
claim("Still far from the paper's placement: 20 points and more.", beats(of_norm, anew, by=0.2))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Two different harms: noise that slows the learning, and averages of another network than the one
# that is tested. Ask which one a longer training mends. Usual wrong answer: both. -->

# %% [markdown]
# So two things go wrong. What the listing's net does learn is not shown, for batch norm tests another network than
# the one that was trained; Li and others called it *variance shift* [5]. And it learns slowly. Let the net look twice
# at the same digits, before training, each time with other coins for dropout. How much do the two looks have in
# common?


# %% tags=["nbval-ignore-output"]
def in_common(net):
    """The correlation of two looks, behind each convolution."""
    names, looks = [name for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d)], []
    for _ in range(2):
        with torch.no_grad(), recording(net.train(), *names) as found:
            net(unseen[:500])
        looks.append([maps - maps.mean(0) for maps in found.values()])
    return [float((a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()) for a, b in zip(*looks)]


torch.manual_seed(seed)
common = {arm: in_common(nins.build(nins.ARMS[arm])) for arm in ("none", "norm", "listing")}
for arm, name in {"none": "no dropout", "norm": "the paper's two", "listing": "the listing's nine"}.items():
    print(f"{name:19}", "  ".join(f"{share:5.2f}" for share in common[arm]))
long = records.read_all(nins.LONG.name)["listing"]

# %% tags=["claim"]
claim(
    "Behind the third convolution the listing's looks have less than a third in common, the others' over nine tenths.",
    common["listing"][2] < 1 / 3 and min(common["none"][2], common["norm"][2]) > 0.9,
)
claim(
    "Recorded, four times the passes: over a third right in training, ten points fewer in evaluation, in each run.",
    all(run.epochs[-1]["accuracy"] > max(0.33, run.accuracy + 0.1) for run in long),
)

# %% [markdown]
# More passes help the learning, slowly; in evaluation little of it shows. Why it learns slowly this does not prove: at
# the end two dropouts, too, leave little in common, and that net learns. From the start of a training one cannot read
# its end.
#
# ### What is an mlpconv layer worth?
#
# In our small net the hidden 1×1 convolutions are a sixth of the parameters. Are they well spent? A rival without any:
# three convolutions with windows, of 16, 32 and 48 maps, and one map a class. Batch norm and dropout as before. These
# runs are recorded:

# %%
for arm, name in {"norm": "mlpconv layers", "plain": "plain convolutions"}.items():
    print(f"{name:19}{recorded[arm][0].parameters:7,} parameters, {recorded[arm][0].macs:10,} multiply-adds")
gains = torch.tensor([a.accuracy - b.accuracy for a, b in zip(recorded["norm"], recorded["plain"])])  # seed by seed
surely = float(gains.mean() + 2 * gains.std() / len(gains) ** 0.5)

# %% tags=["claim"]
claim("Recorded: mlpconv layers are ahead by less than a point, two standard errors included.", surely < 0.01)

# %% [markdown]
# 90.3 %<!-- nins: norm, mean --> with mlpconv layers, 91.0 %<!-- nins: plain, mean --> without. On digits, in two
# passes, the mlpconv layers are worth less than a point, if anything. (Most of the difference is one pair of runs.)
# That is no verdict on the paper, whose nets were wide and trained to the end on photos; it says that the idea has to
# be measured where one wants to use it. In the exercises you will compute what a fair rival costs.

# %% [markdown]
# ## Another place, another size
#
# A mean does not ask where. So, says the paper, it is "more robust to spatial translations of the input" [1, section
# 3.2]. And it takes images of any size.
#
# All digits stand in the middle of their image. We train the rival head on the same trunk, a matrix on all $32 \cdot
# 8 \cdot 8$ numbers of the last maps, and then test both on digits that were moved.

# %% tags=["nbval-ignore-output"]
train_and_keep("matrix")
some, labels = test_set.pixels[:500], test_set.labels[:500]
edges = {"right": some[:, :, :, -3:], "down": some[:, :, -3:]}
whole_ones = {way: f"{1 - float((edge.amax((1, 2, 3)) > 0).float().mean()):.0%}" for way, edge in edges.items()}
print("moved by five pixels, digits that lose no ink:", whole_ones)


def moved(pixels, right=0, down=0, margin=0):
    """On 32×32 pixels, and a black margin more on each side, so far from the middle."""
    left, top = 2 + margin + right, 2 + margin + down
    return F.pad(pixels, (left, 4 + 2 * margin - left, top, 4 + 2 * margin - top))


def accuracy(net, pixels):
    with torch.no_grad():
        return float((net.eval()(steps[1](pixels)).argmax(1) == labels).float().mean())


# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "In the middle the matrix reads a few digits more than the mean. Now they are moved by 5 pixels. Who loses?",
    {
        "nobody": "Which weights of the matrix meet the digit now? Were they ever trained on one?",
        "the matrix; the mean reads as before": "How exactly must the maps move along? What lies at their border?",
        "both, the matrix more": "Why the mean, too? What in the trunk could know where things are?",
        "both, the mean more": "What does the mean of a map make of the place, and what does a matrix?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Collect numbers for both heads. Usual wrong answer: the second, "the mean sums the places away".
# What may know the place is the padding, and a stride of two. -->

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
shifts, names = range(6), {"norm": "mean", "matrix": "matrix"}
by_shift = {}
for arm, name in names.items():
    for way in ("right", "down"):
        by_shift[f"{name}, {way}"] = [
            [accuracy(nets[arm, number], moved(some, **{way: shift})) for shift in shifts] for number in seeds
        ]
plots.tolerance(by_shift, shifts, "pixels that the digits were moved", "Two heads on digits away from the middle")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: why is down worse than right? One cause is plain: one digit in five loses ink. Is it all?
# Compare on the digits that lose none. Usual wrong answer: chance. -->

# %%
lost = {name: [line[0] - line[-1] for line in lines] for name, lines in by_shift.items()}
ahead = [
    mean[-1] - matrix[-1]
    for way in ("right", "down")
    for mean, matrix in zip(by_shift[f"mean, {way}"], by_shift[f"matrix, {way}"])
]

# %% tags=["nbval-ignore-output"]
canvas, black = (moved(part, margin=16) for part in (some, torch.zeros_like(some[:1])))
wide, middle, empty, votes = [], [], [], []
for number in seeds:
    net = nets["norm", number]
    with torch.no_grad():
        canvas_maps = net.classifier[0](net.features(steps[1](canvas)))
        empty.append(int(net(steps[1](black)).argmax()))
    votes.append(float((canvas_maps.mean((2, 3)).argmax(1) == 1).float().mean()))
    for part, accuracies in ((canvas_maps, wide), (canvas_maps[:, :, 4:12, 4:12], middle)):
        accuracies.append(float((part.mean((2, 3)).argmax(1) == labels).float().mean()))
    print(f"seed {number}: on 64×64 {wide[-1]:.0%}, by the middle 8×8 places {middle[-1]:.0%};", end=" ")
    print(f"an empty canvas is taken for a {empty[-1]}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("Five pixels away the mean is ahead, in every run.", min(ahead) > 0.05)
claim(
    "To the right it loses less than ten points, the matrix at least twenty.",
    max(lost["mean, right"]) < 0.1 and min(lost["matrix, right"]) > 0.2,
)
claim(
    "On 64×64 pixels it reads less than half, in the mean of three runs: many digits are taken for a 1.",
    sum(wide) / len(wide) < 0.5 and sum(votes) / len(votes) > 0.3,
)
claim(
    "The middle places alone read ten points more at least; and an empty canvas is a 1, to every run.",
    min(m - w for m, w in zip(middle, wide)) > 0.1 and set(empty) == {1},
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask about the last two: the digit is the same, the maps around it are the same. What has changed?
# There are more empty places, and they vote. Usual wrong answer: the network cannot read on a large canvas. -->

# %% [markdown]
# The paper's sentence holds, as a comparison. To the right the mean reads nearly as before. Down it loses more: there
# many digits lose ink, and most come close to the border; how much is due to which we have not measured. The surprise
# is the *size*. The network takes a canvas of four times the area without a word, and its logits are means. But three
# in four places now lie outside the digit's 32×32 pixels; they see mostly black, two in five of all places nothing
# else. And a black place has an opinion: what is empty speaks for a 1 (perhaps because a 1 has least ink). Often they
# outvote the digit. "Accepts any size" is true of the shapes.
#
# ## Where is the answer?
#
# One map a class can be looked at: it says, place by place, what speaks for that class. You would expect the strokes.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
net = nets["norm", seed]
chosen = [int((labels == label).nonzero()[0]) for label in (0, 3, 4, 6, 7)]
padded = moved(some)
with torch.no_grad():
    class_maps = net.classifier[0](net.features(steps[1](padded)))
own = [class_maps[place, labels[place]] for place in chosen]
of_one = [class_maps[place, 1] for place in chosen]
captions = [f"map of {labels[i]}, mean {sheet.mean():.1f}" for i, sheet in zip(chosen, own)]
captions += [f"map of 1, mean {sheet.mean():.1f}" for sheet in of_one]
shown = [padded[place, 0] for place in chosen] * 2
plots.evidence(shown, [*own, *of_one], captions, "What speaks for the right class, and what for a 1")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: where is it red, on the strokes? Often beside them. Then: how much of the image does one place
# see? From a third to nine tenths. Usual wrong answer: a place speaks of the four by four pixels under it. -->

# %%
last = receptive_field(net.features)[-1]
starts = [last.start[0] + last.step[0] * place for place in range(8)]
seen = [min(32, start + last.size[0]) - max(0, start) for start in starts]
print(
    f"a window of {last.size[0]}×{last.size[0]} pixels, {last.step[0]} further from place to place; inside the image:",
    seen,
)

# %% tags=["nbval-ignore-output"]
ink = F.max_pool2d(padded.float(), 4)[:, 0].flatten(1) > 0  # 64 places: is there ink in these four by four pixels?
every, on_strokes = torch.arange(len(labels)), {}
for number in seeds:
    other = nets["norm", number]
    with torch.no_grad():
        of_class = other.classifier[0](other.features(steps[1](padded)))[every, labels]
    hottest = of_class.flatten(1).argmax(1)
    on_strokes[number] = float(ink[every, hottest].float().mean())
print(f"of all places {ink.float().mean():.0%} have ink; of the hottest", [f"{v:.0%}" for v in on_strokes.values()])

# %% tags=["claim"]
claim(
    "A window is 33 wide, yet no place sees the whole image: in a corner a third, in the middle nine tenths.",
    last.size[0] == 33
    and max(seen) < 32
    and (round(min(seen) ** 2 / 1024, 1), round(max(seen) ** 2 / 1024, 1)) == (0.3, 0.9),
)
claim(
    "In every run the hottest place lies beside the strokes for more than a third of the digits.",
    max(on_strokes.values()) < 0.66,
)

# %% [markdown]
# Expected was: hot on the strokes. In one run the hottest place has ink no more often than by chance, in others half
# as often again and more; in no run in two of three digits. A place speaks about all it sees, and that is far more
# than the four by four pixels under it: in a corner a third of the image, in the middle nine tenths. So do not read
# such a map as "the network looked here".

# %% [markdown]
# ## And on photographs?
#
# The next rung of the course's ladder (chapter 04): `nin_cifar`, the paper's net for the photographs of CIFAR-10, from
# this chapter's start. Eight passes at a rate of 0.01, as for all rungs. It was trained once, in *mixed precision*
# (products in numbers of 16 bits, to save time: chapter 12); the others three times, in 32 bits.

# %%
photographs = ladder.recorded("lenet_cifar", "alexnet_cifar", "zfnet_cifar", "nin_cifar", "vgg_cifar")
print(ladder.prices(photographs))

# %% tags=["nbval-ignore-output"]
plots.ladder({}, photographs, ladder.ARMS, 0.6, "Test accuracy on CIFAR-10, eight epochs")

# %% tags=["claim"]
claim(
    "Recorded: the one run of NiN reads more than 73 %; each AlexNet and each ZFNet less, each VGG more than 75 %.",
    photographs["nin_cifar"][0].accuracy > 0.73
    and max(run.accuracy for arm in ("alexnet_cifar", "zfnet_cifar") for run in photographs[arm]) < 0.73
    and min(run.accuracy for run in photographs["vgg_cifar"]) > 0.75,
)
claim(
    "For that it does over twenty times the multiply-adds of VGG.",
    photographs["nin_cifar"][0].macs > 20 * photographs["vgg_cifar"][0].macs,
)

# %% [markdown]
# It reads 73.6 %<!-- ladder-full-bfloat16: nin_cifar, mean -->. So on the photographs of its paper it stands between
# ZFNet and the small VGG, after 3,342 seconds<!-- ladder-full-bfloat16: nin_cifar, seconds, mean --> of a processor
# core. But look at its own: in its last pass it named 75 in a hundred of them, with half of the numbers dropped in two
# places, and it climbed in every pass. The paper trained until its training images were named no better, then at a
# tenth of the rate, then at a hundredth [1, section 4.1]. And the VGG has batch norm. The rung says how far NiN comes
# in eight passes by this recipe; what it is worth when it has learned, it does not say.

# %% [markdown]
# ## Does it hold up?
#
# Five sentences that people say about NiN. Take a side before you read the answer.

# %%
papers = {"NiN": 1312.4400, "GoogLeNet": 1409.4842, "ResNet": 1512.03385}  # arXiv numbers: year, month, paper
with torch.device("meta"):
    end_in = {name: make() for name, make in {"NiN": nin, "GoogLeNet": googlenet, "ResNet": resnet18}.items()}
have_mean = [name for name, net in end_in.items() if any(isinstance(m, nn.AdaptiveAvgPool2d) for m in net.modules())]
first = min(have_mean, key=papers.get)
by_mean = with_matrices - whole.parameters
as_3x3 = 8 * sum(row[1] - maps for row, maps in zip(groups["seven hidden 1×1"], (96, 96, 256, 256, 384, 384, 1024)))
twins = {"hidden": "norm", "hidden-plain": "paper", "listing": "norm"}  # each beside the net that drops twice
print(f"{first} had it first; the mean, and one matrix in place of three, save {by_mean:,}", end="; ")
print(f"as 3×3 the hidden 1×1 would have {as_3x3:,} more")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "In NiN, 1×1 convolutions replace the matrices.",
    by_mean <= hidden,
    because="without the hidden 1×1 no matrix comes back; the last 1×1 is the one matrix that stayed",
)
verdict(
    "NiN is small because of its 1×1 convolutions.",
    as_3x3 > by_mean,
    because="as 3×3 they would have 12 million more; three matrices on all places, no mean, 171 million",
)
verdict(
    "Global average pooling came with ResNet.",
    first == "ResNet",
    because="NiN had it two years earlier, in December 2013",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each. Usual wrong answer: the first two, which stand in most summaries. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Dropout behind every convolution regularises more, so it is better.",
    [beats(recorded[arm], recorded[few], by=0) for arm, few in twins.items()],
    because="here it slows or stops the learning, and batch norm then tests another net than was trained",
)
verdict(
    "With global average pooling a network reads images of any size.",
    [canvas_maps.shape[2:] == (16, 16), min(wide) > 0.8],
    because="it takes any size; but empty places vote too, and on a large canvas they win",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: how would you train a net that reads on a large canvas? On large canvases. Usual wrong answer:
# the second must hold, for the code runs. -->

# %% [markdown]
# ## Interrogate the result
#
# Which digits does the net with the mean get wrong, and where does it see the wrong answer? Here are its five most
# confident mistakes: in the upper row what speaks for the right class, in the lower for the answer it gave.

# %% tags=["nbval-ignore-output"]
chances, given = class_maps.mean((2, 3)).softmax(1).max(1)
wrong = (given != labels).nonzero().flatten()
worst = wrong[chances[wrong].argsort(descending=True)[:5]].tolist()
right_maps = [class_maps[place, labels[place]] for place in worst]
wrong_maps = [class_maps[place, given[place]] for place in worst]
captions = [f"a {labels[i]}, its map" for i in worst] + [f"taken for {given[i]} ({chances[i]:.0%})" for i in worst]
shown = [padded[place, 0] for place in worst] * 2
plots.evidence(shown, [*right_maps, *wrong_maps], captions, "The five most confident mistakes, and what spoke for them")

# %% [markdown]
# These five were picked for being wrong and sure; they say nothing of the rest.
#
# <details><summary>Further: the numbers of the paper</summary>
#
# On CIFAR-10 NiN missed 10.41 % of the test images with dropout, and 8.81 % with mirrored and shifted training images
# as well ([1], table 1); the best before were 11.68 and, with twelve networks, 9.32 %. Between the mlpconv layers,
# dropout took away more than a fifth of the error ([1], section 4.2). The paper gives no spread.
#
# </details>
#
# <details><summary>Further: a listing's shapes</summary>
#
# The published listing lets its pools round down: maps of 26, 12 and 5 where the authors' software, which rounds up,
# has 27, 13 and 6. Its text speaks of three NiN blocks, its code has four groups, as the authors' net for ImageNet
# does.
#
# </details>

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### Sides of the maps
#
# 5 minutes, ●○○
#
# The table `IMAGENET` again. For colour images of `side` × `side` pixels, write `nin_sides`: a list of four numbers,
# the sides of the maps that the four mlpconv layers put out (before the pools behind them). The pools have windows of
# three, two apart, and round up; a convolution rounds down. For 224 it is `[54, 27, 13, 6]`.


# %%
def nin_sides(side): ...


# %%
check(nin_sides)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_nin_sides(side):
    sides = [(side - 11) // 4 + 1]
    for _ in range(3):
        sides.append(-(-(sides[-1] - 3) // 2) + 1)  # -(-a // b) rounds up
    return sides


check(solution_nin_sides, of="nin_sides")

# %% [markdown]
# ### Count an mlpconv layer
#
# 5 minutes, ●○○
#
# Write `mlpconv_parameters`: `inputs` maps come in; the first convolution has windows of `window` × `window`;
# `widths` is a list, the maps of the first convolution and of the 1×1 ones behind it. Everything has biases.


# %%
def mlpconv_parameters(inputs, window, widths): ...


# %%
check(mlpconv_parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_mlpconv_parameters(inputs, window, widths):
    total = 0
    for width in widths:
        total += (window * window * inputs + 1) * width
        inputs, window = width, 1
    return total


check(solution_mlpconv_parameters, of="mlpconv_parameters")

# %% [markdown]
# ### A head without a matrix
#
# 8 minutes, ●●○
#
# Write `average_head`: it returns a module that makes logits, N×`classes`, of maps, N×`maps`×H×W, for any H and W. It
# has a weight for each pair of a map and a class, a bias for each class, and nothing more. Its logits may be
# negative.


# %%
def average_head(maps, classes): ...


# %%
check(average_head)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_average_head(maps, classes):
    return nn.Sequential(nn.Conv2d(maps, classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


check(solution_average_head, of="average_head")

# %% [markdown]
# ### A fair rival
#
# 8 minutes, ●●○
#
# An mlpconv layer as above, and a plain convolution with the same inputs and window, without any 1×1. Write
# `plain_maps`: how many maps may the plain one have, if it is to have no more parameters than the mlpconv layer? (The
# next layer then gets more maps, and costs more. The rival that was recorded in the chapter counts that too.)


# %%
def plain_maps(inputs, window, widths): ...


# %%
check(plain_maps)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_plain_maps(inputs, window, widths):
    one_map = window * window * inputs + 1
    budget, before = one_map * widths[0], widths[0]
    for width in widths[1:]:
        budget, before = budget + (before + 1) * width, width
    return budget // one_map


check(solution_plain_maps, of="plain_maps")

# %% [markdown]
# ### What speaks for a class
#
# 10 minutes, ●●○
#
# `net` has the parts `net.features` and `net.classifier`, and the first layer of the classifier makes one map a
# class. `image` is one image, C×H×W; its sides are whole multiples of the maps' sides. Write `class_map`: the map of
# `label`, made as large as the image, H×W: each number becomes a block of pixels. The mean of it is then the logit.


# %%
def class_map(net, image, label): ...


# %%
check(class_map)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_class_map(net, image, label):
    with torch.no_grad():
        sheet = net.classifier[0](net.features(image[None]))[0, label]
    block = image.shape[1] // sheet.shape[0]
    return sheet.repeat_interleave(block, 0).repeat_interleave(block, 1)


check(solution_class_map, of="class_map")

# %% [markdown]
# ### A NiN of your own
#
# 20 minutes, ●●●
#
# Write `tiny_nin`: it returns a network for images of 1×32×32 and ten classes, with at most 6,000 parameters and
# 1,000,000 multiply-adds, at least four 1×1 convolutions, and no fully connected layer. It takes larger images too.
# And it leaves chance: the check trains it twice, four passes over 1,000 digits at a rate of 0.05, and wants more
# than 30 % of 500 other digits. There are many answers. When you have one, change one thing at a time: where does it
# fall back to a guess?


# %%
def tiny_nin(): ...


# %%
check(tiny_nin)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_tiny_nin():
    layers, inputs = [], 1
    for window, step, maps in [(5, 4, 12), (1, 1, 10), (1, 1, 10), (3, 1, 16), (1, 1, 16), (1, 1, 16)]:
        layers += [nn.Conv2d(inputs, maps, window, step, window // 2), nn.BatchNorm2d(maps), nn.ReLU()]
        inputs = maps
    return nn.Sequential(*layers, nn.Conv2d(inputs, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


check(solution_tiny_nin, of="tiny_nin")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - mlpconv: a small network in each window. 1×1: one layer of it.
# - The mean of maps saves matrices. A 1×1 saves only where it makes maps fewer.
# - Dropout before every batch norm: trained one way, tested another.
# - Means count empty places.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the mlpconv layer from memory, and to say what the mean gives up. -->

# %% [markdown]
# **Sources.** [1] M. Lin, Q. Chen, S. Yan, *Network In Network*, 2013, arXiv:1312.4400; the widths from the authors'
# configuration files (github.com/mavenlin). [2] A. Krizhevsky, I. Sutskever, G. Hinton, *ImageNet Classification with
# Deep Convolutional Neural Networks*, 2012. [3] C. Szegedy and others, *Going Deeper with Convolutions*, 2014,
# arXiv:1409.4842. [4] K. He and others, *Delving Deep into Rectifiers*, 2015, arXiv:1502.01852. [5] X. Li and others,
# *Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift*, 2018, arXiv:1801.05134. K.
# He and others, *Deep Residual Learning for Image Recognition*, 2015, arXiv:1512.03385. Y. LeCun, C. Cortes, C.
# Burges, *The MNIST database of handwritten digits*.
#
# **Next**, chapter 08: GoogLeNet, which puts 1×1 convolutions where they do save. **Before**, chapter 06: VGG.
