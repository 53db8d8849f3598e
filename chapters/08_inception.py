# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # GoogLeNet and Inception v2, v3
#
# How large should a window be? In 2014 a network took three sizes at once. What does each of them see, and what does
# it cost?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: 11×11, 5×5, 3×3: which is right? Let them argue. Usual answer: 3×3, VGG has settled it. VGG won
# the second place that year; today's network the first. -->

# %% [markdown]
# This chapter takes about an hour; its code runs in about a minute. You need convolutions, pools and receptive fields
# (chapters 01 and 02), training (03), and it helps to have read AlexNet and VGG (05 and 06). You will leave able to
# build GoogLeNet from its table of nine rows and to find the mistake in a published copy of it; to say what its 1×1
# convolutions save, what each branch sees that the others do not, and what its successors changed.
#
# **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked for a
# prediction, commit to one before you run on. The exercises stand together at the end.

# %%
from collections import defaultdict
from dataclasses import replace
from functools import partial
from itertools import product
from math import inf

import torch
from torch import Generator, nn

# %%
from cnnlib import plots, records
from cnnlib.analysis import confusion_matrix, gradient_norms, receptive_field, recording, summary
from cnnlib.claims import Score, beats, claim, mean_accuracy, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import EXPERIMENTS, inceptions, ladder
from cnnlib.experiments.running import run_all
from cnnlib.layers import ConvNormAct, linear_classifier
from cnnlib.models import alexnet_2012, googlenet_2014, inception_v2, inception_v3
from cnnlib.models.googlenet import auxiliary_loss
from cnnlib.training import cross_entropy, default_device, evaluate, first_seed, train
from cnnlib.vision import torchvision

device = default_device()
torch.set_num_threads(1)  # nets as small as these are quicker on one core than on several that must agree

# %% [markdown]
# ## The question
#
# LeNet has windows of 5×5, AlexNet begins with 11×11, VGG has 3×3 only. Things in photos come in all sizes; so which
# window is the right one? The answer of 2014 was: do not choose. Look through several at once.
#
# To see what each window is good for, we need images of which we *know* what can be seen through which. Here are four
# kinds of night sky. Dots stand at random, and each has a twin to its right: one, two, three or four pixels away.

# %%
size = inceptions.LIVE
train_set, test_set = (images.to(device) for images in size.load())
captions = [test_set.classes[label] for label in test_set.labels[:4]]

# %% slideshow={"slide_type": "slide"}
says = "In the first the dots stand in pairs side by side; in the others one sees no pairs without searching."
plots.images(test_set.pixels[:4], captions, "Four skies: each dot has a twin to its right", columns=4, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Cover the captions. Ask: which distance is which? Then: how wide must a window be to see a dot and
# its twin? One pixel more than their distance. Usual wrong answer: as wide as their distance. -->

# %% [markdown]
# A window of 3×3 pixels can hold a dot and its twin if they are one or two apart. At a distance of three or four it
# cannot: whatever it sees, it sees as often in the third kind of sky as in the fourth. A window of 5×5 can hold all
# four.

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "One layer looks through 1×1, 3×3, 5×5 and a pool, and names the sky. Take the 5×5 away: how many are right?",
    {
        "about 25 %": "That is a guess among four. Which skies look alike through a 3×3 window?",
        "about 50 %": "Which half would that be? And what does it answer on the other?",
        "about 75 %": "Which kinds would it take for one another? And what does it answer there?",
        "nearly all": "Which window holds both dots, when they lie three or four apart?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Collect a number from everyone, with a reason. Usual wrong answer: half, forgetting that a guess
# between two is right half of the time. Do not answer; it is measured later. -->

# %% [markdown]
# First the module, then the skies, then the whole network.
#
# ## What came before, what was new, what was dropped
#
# Before it came AlexNet, with three large matrices; and Network in Network (chapter 07), from which GoogLeNet took
# two things [1]: convolutions of 1×1, and the mean of each map in place of the matrices. New was the *Inception
# module*: windows of several sizes side by side, at a price fixed beforehand, about 1.5 billion multiply-adds an
# image [1]. New too were two small classifiers halfway, for training only. With seven such nets the authors won the
# classification of 2014, with a top-5 error of 6.67 % (the right class was not among five answers) [1]; VGG came
# second. What stayed: the module, and 1×1 convolutions before costly ones. What was dropped within two years:
# response normalisation and biases, for batch norm [2]; most 5×5 windows [2]; one of the two classifiers [3].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The one idea
#
# The same maps go into four branches. Each keeps their size. What comes out is stacked: the numbers of maps add up.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw two stacks of maps and put one on the other. Ask: what must be equal for that? Height and
# width, not the number of maps. Usual wrong answer: the maps are added, number by number, as in ResNet (chapter 09).
# There the number of maps stays, here it grows. -->

# %% [markdown]
# To stack is not to add. Two stacks of 64 and of 128 maps give 192 maps; ResNet's sum (chapter 09) needs equal
# numbers, and keeps them. In code: a convolution that keeps the size, and a stack.


# %%
def conv(n, maps, side, stride=1):
    layer = nn.Conv2d(n, maps, side, stride, padding=side // 2)
    return nn.Sequential(layer, nn.ReLU(inplace=True))


class SideBySide(nn.ModuleList):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)  # axis 1 counts the maps


# %% [markdown]
# The module that follows has a trick. A 5×5 convolution has 25 weights for each pair of a map that goes in and a map
# that comes out. So before it stands a 1×1 convolution that makes few maps of many: it *reduces*. `n` maps go in; the
# six numbers say how many come out of each convolution.


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def inception(n, row, conv=conv):
    one, r3, three, r5, five, pooled = row
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    branches = [
        conv(n, one, 1),
        nn.Sequential(conv(n, r3, 1), conv(r3, three, 3)),
        nn.Sequential(conv(n, r5, 1), conv(r5, five, 5)),
        nn.Sequential(pool, conv(n, pooled, 1)),
    ]
    return SideBySide(branches)


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: the pool has stride 1; what would stride 2 do? Its maps would be half as large, and could not
# be stacked on the others. Usual wrong answer: a pool always makes maps smaller. And: why is there a 1×1 behind the
# pool, and not before it? Without it all n maps would come out. -->

# %%
first = (64, 96, 128, 16, 32, 32)  # the module called 3a: 192 maps of 28×28 go in
with torch.device("meta"):  # shapes without numbers
    module, maps = inception(192, first), torch.empty(1, 192, 28, 28)
for name, branch in zip(("1×1", "1×1, 3×3", "1×1, 5×5", "pool, 1×1"), module):
    print(f"{name:10}", tuple(branch(maps).shape[1:]))
print("stacked   ", tuple(module(maps).shape[1:]))

# %% slideshow={"slide_type": "slide"}
steps = {
    "1×1": [("1×1", 64)],
    "3×3": [("1×1", 96), ("3×3", 128)],
    "5×5": [("1×1", 16), ("5×5", 32)],
    "pool": [("pool", 192), ("1×1", 32)],
}
plots.branches(192, steps, "The module 3a: heights are numbers of maps")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which branch has most weights? The 3×3: 9·96·128. And which without the thin waists,
# of 96 and of 16? The 5×5's 25·192·32 against 9·192·128: still the 3×3. Usual wrong answer: the 5×5, which would come
# first if only its own waist went. -->

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the 1×1 saves
#
# Leave the reductions out, and 3×3 and 5×5 look at all 192 maps; the pool passes all of them on. The paper calls this
# the naive module.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "Leave out 3a's reductions. By what factor do its multiplications grow?",
    {
        "they shrink": "There are fewer layers, that is true. How many maps does the 5×5 see now?",
        "about 2": "Which branch did you reckon with? And what happens in the next module?",
        "about 10": "The 5×5 now sees 192 maps in place of 16. What share of the module was it before?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Let them write 192·(64 + 9·128 + 25·32). Usual wrong answer: ten or more, from 192 to 16 in the 5×5
# branch alone. -->


# %%
def naive(n, row):
    one, _, three, _, five, _ = row
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    return SideBySide([conv(n, one, 1), conv(n, three, 3), conv(n, five, 5), pool])


by_hand = {
    "naive": 192 * (64 + 9 * 128 + 25 * 32),
    "reduced": 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32,
}
for name, weights in by_hand.items():
    print(f"{name:8}{weights:9,} weights, each used at 28·28 places: {weights * 28 * 28:13,} multiply-adds")

# %%
table = [first, (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64)]
counted, outputs = {}, {}
for make in (naive, inception):
    n, counted[make.__name__], outputs[make.__name__] = 192, [], [192]
    for row in table:
        with torch.device("meta"):
            module = make(n, row)
        n = module(torch.empty(1, n, 14, 14, device="meta")).shape[1]
        counted[make.__name__].append(sum(p.numel() for p in module.parameters() if p.ndim == 4))
        outputs[make.__name__].append(n)
    print(f"{make.__name__:10} maps", outputs[make.__name__], " weights", [f"{w:,}" for w in counted[make.__name__]])

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "In 3a the reductions leave 163,328 of 387,072 weights, and 128.0 of 303.5 million multiply-adds.",
    [*by_hand.values()] == [387_072, 163_328] == [counted[name][0] for name in ("naive", "inception")]
    and [round(weights * 784 / 1e6, 1) for weights in by_hand.values()] == [303.5, 128.0],
)
claim(
    "Three naive modules make 1,280 maps of 192; three with reductions make 512.",
    [outputs[name][-1] for name in ("naive", "inception")] == [1280, 512],
)
claim(
    "In the third the naive module has more than seven times the weights.",
    counted["naive"][2] > 7 * counted["inception"][2],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: why do the naive maps pile up? The pool passes all on, and the others come on top. Usual wrong
# answer: because there are more weights. It is the other way round: more maps, so more weights; and a reduction saves
# more where more maps come in. -->

# %% [markdown]
# In 3a the factor is 2.4, in 4a above seven. Two things make it grow. A reduction saves more where more maps come in:
# from the same 480 maps the naive 4a would have 4.2 times the weights. And a naive module can only add maps, so 832
# come in.

# %% [markdown]
# ## One module, four skies
#
# Back to the question. The small network has a 1×1 convolution, which sees one pixel; one module, with batch norm;
# the mean of each map; and a matrix. So nothing but the module looks around. `inceptions.ROW` holds its six numbers.
# First one by hand:


# %%
def maps_out(row):
    return row[0] + row[2] + row[4] + row[5]


# %% tags=["nbval-ignore-output"]
seed, row, normalize = first_seed(), inceptions.ROW, Normalize(train_set)


def taught(net):
    batches = Batches(train_set, size.recipe.batch_size, [normalize], Generator(device).manual_seed(seed))
    history = []
    for epoch in progress(train(net.to(device), batches, size.recipe)):
        history.append(epoch)
    return net, evaluate(net, Batches(test_set, 1000, [normalize])).accuracy


torch.manual_seed(seed)
features = nn.Sequential(ConvNormAct(1, 8, 1), inception(8, row, ConvNormAct))
net, whole_module = taught(nn.Sequential(features, linear_classifier(maps_out(row), 4)))
print(f"{sum(p.numel() for p in net.parameters()):,} parameters; {whole_module:.0%} of 1,000 new skies named rightly")

# %% [markdown]
# Now three seeds of it, and of the same without its 5×5 branch. `run_all` trains as we did. The other arms were
# recorded with the course, ten seeds each: without one of the other branches, and with something else in the place of
# the 5×5.

# %% tags=["nbval-ignore-output"]
arms = ["all", "no-5x5"]
finished = []
for record in progress(run_all(inceptions, size, arms), total=len(arms) * size.seeds):
    finished.append(record)
runs = records.by_arm(finished)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
names = {
    "all": "all four branches",
    "no-1x1": "without the 1×1",
    "no-3x3": "without the 3×3",
    "no-5x5": "without the 5×5",
    "no-pool": "without the pool",
    "one-3x3": "one 3×3 for the 5×5",
    "two-3x3": "two 3×3 for the 5×5",
    "1x5-5x1": "1×5 and 5×1 for the 5×5",
}
plots.ladder(runs, recorded, names, 0.7, "Skies named rightly, by what stands in the module")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: who said 75? Then: why is nothing lost without the 3×3? What it sees, the 5×5 sees too. Usual
# wrong answer: each branch is missed at its own size. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "With all four branches nearly all skies are named rightly: over 98 % in every run.",
    all(run.accuracy > 0.98 for run in runs["all"]),
)
claim(
    "Without the 5×5 it is three in four: between 70 and 80 % in every run.",
    all(0.7 < run.accuracy < 0.8 for run in runs["no-5x5"]),
)

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "Recorded: none of the other branches is missed. Without any one of them it is over 98 % in every run.",
    min(run.accuracy for arm in ("no-1x1", "no-3x3", "no-pool") for run in recorded[arm]) > 0.98,
)
claim(
    "Recorded: two 3×3, or 1×5 and 5×1, do the work of the 5×5. One 3×3 does not: below 80 %.",
    min(run.accuracy for arm in ("two-3x3", "1x5-5x1") for run in recorded[arm]) > 0.98
    and max(run.accuracy for run in recorded["one-3x3"]) < 0.8,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: so what are the small branches for? They are cheap: here the 5×5 could do it all, at a price.
# Usual wrong answer: for small things. -->

# %% [markdown]
# Ten recorded runs without the 5×5 lie between 73.4 %<!-- inceptions: no, 5x5, min --> and 75.6 %<!-- inceptions: no,
# 5x5, max -->. Why three in four? The near kinds are always right, and between the far ones a coin decides: it is
# right half of the time.
#
# So the windows do not share the sizes out among them, one each. A large window sees what a small one sees. What a
# small window cannot see, no amount of training adds. And a *stack* of small ones is a large window (chapter 06): the
# last two rows of the picture are what the successors of GoogLeNet made of this.

# %% [markdown]
# Are clothes like skies? The same eight modules learned 3,000 of them: two modules in a row, with a pool between, five
# seeds each. (This is the full size, `inceptions.FULL`. Its records came with the course; `python -m cnnlib run
# inceptions --full --folder FOLDER` makes them anew in about eight minutes.)

# %%
garments = records.read_all(inceptions.FULL.name)
for arm, name in names.items():
    print(f"{name:24}{garments[arm][0].parameters:7,} parameters, {mean_accuracy(garments[arm]):.1%} of unseen clothes")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "On clothes too the 5×5 is missed: without it two points at least are lost.",
    beats(garments["all"], garments["no-5x5"], by=0.02),
)
claim(
    "No other branch is missed by that much, though the 3×3 makes as many maps.",
    not any(beats(garments["all"], garments[arm], by=0.02) for arm in ("no-1x1", "no-3x3", "no-pool")),
)
claim(
    "In its place two 3×3, or 1×5 and 5×1, or one 3×3 bring back two points at least.",
    all(beats(garments[arm], garments["no-5x5"], by=0.02) for arm in ("one-3x3", "two-3x3", "1x5-5x1")),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: is it the window that is missed, or the branch? Read two lines together. One 3×3 in its place: no
# larger window, and most comes back. Without the 3×3: as many maps gone, little lost. Then look at the parameters.
# Usual wrong answer: the 5×5 is missed, so clothes need large windows. -->

# %% [markdown]
# We had expected no difference on clothes, for they come in one size. Over five recorded runs it is 83.6 %<!--
# inceptions-full: all, mean --> against 80.6 %<!-- inceptions-full: no, 5x5, mean -->. Is it the window, then? Without
# its 5×5 the net has a third of its parameters. A 3×3 in the same place sees no further than its neighbour, and brings
# back most of what was lost: 83 %<!-- inceptions-full: one, 3x3, mean -->, half a point less, with fewer parameters.
# But without the 3×3, as many maps, it is 83.3 %<!-- inceptions-full: no, 3x3, mean -->: no branch as such is missed
# either. And the net without the 5×5 is by far the smallest of the eight. So on the skies it is the window that is
# missed; on clothes it need not be, size alone may explain it. Before you say what a part is good for, put something
# dull in its place.

# %% [markdown]
# ## The network: a table
#
# GoogLeNet is nine such modules behind three ordinary convolutions. This is its table [1]:

# %% tags=["show-code"] slideshow={"slide_type": "slide"}
ROWS = {  # 1×1, reduce, 3×3, reduce, 5×5, behind the pool
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how many maps leave 4a? 192 + 208 + 48 + 64 = 512. Let everyone add it up: a published listing
# got it wrong. Usual wrong answer: the sum of all six; the reductions stay inside. -->


# %%
def halve():
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # the last window may hang over the edge


def stem(reduce=True):
    """Three convolutions that make 192 maps of 28×28 of a photo of 224×224."""
    layers = [conv(3, 64, 7, stride=2), halve(), nn.LocalResponseNorm(5)]
    layers += [conv(64, 64, 1)] if reduce else []
    return [*layers, conv(64, 192, 3), nn.LocalResponseNorm(5), halve()]


# %%
def googlenet(rows, reduce=True, classes=1000):
    layers, n, stage = stem(reduce), 192, "3"
    for name, row in rows.items():
        if name[0] != stage:  # 3, 4 and 5 are the stages; between them the maps are halved
            layers.append(halve())
            stage = name[0]
        layers.append(inception(n, row))
        n = maps_out(row)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(n, classes))
    return nn.Sequential(nn.Sequential(*layers), head)


# %%
with torch.device("meta"):
    ours = googlenet(ROWS)
*parts, whole = summary(ours, (3, 224, 224))
modules = [part for part in parts if part.kind == "SideBySide"]
for name, part in zip(ROWS, modules):
    print(name, "×".join(map(str, part.shape)), f"{part.parameters:11,} parameters {part.macs:13,} multiply-adds")
print(f"all{whole.parameters:22,} parameters {whole.macs:13,} multiply-adds")


# %%
def longest(part):
    """Layers with weights on the longest way through."""
    if isinstance(part, nn.Conv2d | nn.Linear):
        return 1
    ways = [longest(child) for child in part.children()] or [0]
    return max(ways) if isinstance(part, SideBySide) else sum(ways)


kinds = (nn.MaxPool2d, nn.AdaptiveAvgPool2d)
pools = [layer for layer in ours.modules() if isinstance(layer, kinds) and getattr(layer, "stride", 2) == 2]

# %% tags=["claim"]
claim(
    "22 layers with weights on the longest way, 27 with the pools between the stages and at the end.",
    (longest(ours), longest(ours) + len(pools)) == (22, 27),
)
claim(
    "All nine modules have their 1×1 reductions: fewer maps than go in.",
    all(row[1] < n and row[3] < n for row, n in zip(ROWS.values(), [192, *map(maps_out, ROWS.values())])),
)

# %% tags=["claim"]
claim(
    "Nine modules, maps of 28×28, 14×14 and 7×7, and 1,024 of them at the end.",
    [part.shape[1] for part in modules] == [28] * 2 + [14] * 5 + [7] * 2 and modules[-1].shape[0] == 1024,
)
claim(
    "6,998,552 parameters and 1.58 billion multiply-adds.",
    whole.parameters == 6_998_552 and round(whole.macs / 1e9, 2) == 1.58,
)

# %% [markdown]
# 22 and 27 are the paper's own numbers [1]: three layers in the stem, two in each of nine modules, one at the end;
# and five pools.
#
# ### A listing that stops
#
# A widely copied listing writes down for each module how many maps go in, too, rather than adding them up. For 4b, 4c
# and 4d it says 504. Let us send the maps of 4a into its 4b:

# %%
torch.manual_seed(0)
listed = [192, 256, 480, 504, 504, 504, 528, 832, 832]
four_a, four_b = inception(480, ROWS["4a"]), inception(504, ROWS["4b"])
complaint = ""
try:
    four_b(four_a(torch.randn(1, 480, 14, 14)))
except RuntimeError as error:
    complaint = str(error)
print(complaint)
arriving = [192, *(maps_out(row) for row in ROWS.values())][:-1]
for name, says, comes in zip(ROWS, listed, arriving):
    print(name, f"listed {says:4}, arriving {comes:4}", "" if says == comes else "  differs")

# %% [markdown]
# Mend the three numbers, and it runs. It still is not the network of 2014. It has no 1×1 convolution in the stem, no
# response normalisation and no dropout. And it brings two classifiers along that look at 4a and 4d; we come to them
# below.

# %%
# Each classifier: a 1×1 convolution to 128 maps, of which 4×4 places are kept, and two matrices.
extra = sum(n * 128 + 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000 for n in (512, 528))
with torch.device("meta"):
    mended = sum(p.numel() for p in googlenet(ROWS, reduce=False).parameters())
wrong = sum(8 * (row[0] + row[1] + row[3] + row[5]) for name, row in ROWS.items() if name in ("4b", "4c", "4d"))
print(f"as printed {mended + extra - wrong:,}; mended {mended + extra:,} = {mended:,} + {extra:,} in two classifiers")
print(f"with the stem's 1×1 convolution, 64 to 64 maps: {mended:,} + {64 * 64 + 64:,} = {mended + 4160:,}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "A published listing sends 504 maps into 4b, 4c and 4d; 512 arrive, and it stops.",
    [a - b for a, b in zip(arriving, listed)] == [0, 0, 0, 8, 8, 8, 0, 0, 0] and "504" in complaint,
)
claim(
    "Mended it has 13,374,120 parameters, 47.7 % of them in its two extra classifiers.",
    mended + extra == 13_374_120 and round(extra / (mended + extra), 3) == 0.477,
)
claim(
    "Without these, and with the 1×1 convolution it left out, 6,998,552.",
    mended + 64 * 64 + 64 == whole.parameters,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how would you write the network so that this slip cannot happen? Add the numbers up in code, as
# `maps_out` does. Usual wrong answer: check the table twice. -->

# %% [markdown]
# ### Proof card
#
# Equal counts do not make two networks the same; equal outputs from equal weights do. Our network against the
# library's `googlenet_2014`:

# %%
torch.manual_seed(0)
library = googlenet_2014().eval()
ours.load_state_dict(dict(zip(ours.state_dict(), library.state_dict().values())), assign=True)
image = torch.randn(1, 3, 224, 224)
with torch.no_grad():
    both_logits = [ours.eval()(image), library(image)]
with torch.device("meta"):
    twin = torchvision().models.googlenet(aux_logits=False, init_weights=False)
theirs = [layer for layer in twin.inception3a.modules() if isinstance(layer, nn.Conv2d)]
print("torchvision's 3a: sides", [layer.kernel_size[0] for layer in theirs], end=", ")
print(f"biases {theirs[0].bias is not None}, pool before 5a {twin.maxpool4.kernel_size}, dropout {twin.dropout.p}")
slim = sum(p.numel() for p in twin.parameters())

# %% tags=["claim"]
claim(
    "From equal weights our GoogLeNet and the library's of 2014 give equal logits.",
    torch.allclose(*both_logits, atol=1e-5) and len(ours.state_dict()) == len(library.state_dict()),
)
claim("torchvision's has 6,624,904 parameters: 3×3 where the paper has 5×5, batch norm for biases.", slim == 6_624_904)

# %%
del library, twin

# %% [markdown]
# ## Where it is dear
#
# Where are the parameters, and where is the work?

# %%
layers = {f"0.{place}": name for place, name in zip((7, 8, 10, 11, 12, 13, 14, 16, 17), ROWS)}
layers |= {"0.0": "7×7", "0.3": "1×1", "0.4": "3×3", "1.3": "last layer"}
rows = [part for part in parts if part.name in layers]

# %% slideshow={"slide_type": "slide"}
costs = [replace(part, name=layers[part.name]) for part in rows]
plots.costs([*costs, whole], "GoogLeNet: where its parameters, its work and its memory are")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: AlexNet had 96 % of its parameters in three matrices; where are they here? In the modules; the
# last layer has 15 %. Usual wrong answer: in the last layer. Which single layer works hardest? The 3×3 of the stem.
# -->

# %% tags=["claim"]
claim("The one matrix has 15 % of the parameters.", round(1025 * 1000 / whole.parameters, 2) == 0.15)
claim(
    "The 3×3 of the stem, one layer, does more work than any module: 22 % of all.",
    round(costs[2].macs / whole.macs, 2) == 0.22 and costs[2].macs > max(part.macs for part in modules),
)

# %% [markdown]
# (*Saved bytes* are the layers' inputs that training keeps for the way back, as in chapter 06. What the picture lacks
# of them is kept by pools and response normalisation.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Twelve times fewer than AlexNet?
#
# The paper says that it has twelve times fewer parameters than AlexNet. You have both counts, or can make them.

# %%
with torch.device("meta"):
    alexnet = sum(p.numel() for p in alexnet_2012().parameters())
    with_heads = sum(p.numel() for p in googlenet_2014(auxiliary=True).parameters())
versions = {"GoogLeNet of 2014": whole.parameters, "torchvision's": slim, "with both extra classifiers": with_heads}
print(f"AlexNet of 2012 {alexnet:25,}")
for name, count in versions.items():
    print(f"{name:28}{count:13,}{alexnet / count:7.1f} times fewer")

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "8.7 times fewer; torchvision's 9.2; in training, with both extra classifiers, 4.6.",
    [round(alexnet / count, 1) for count in versions.values()] == [8.7, 9.2, 4.6],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: where does the twelve come from? The paper on v3 reckons with 5 million against 60 million.
# Usual wrong answer: a slogan in a paper has been counted. -->

# %% [markdown]
# The slogan reckons with 5 million; its authors say so themselves a year later [3]. About 7 million is what the table
# adds up to.
#
# ## Two ways to halve a map
#
# The listing pools with one pixel of padding and drops what does not fill a window. The original has no padding and
# lets the last window hang over the edge (`ceil_mode`). At 224 pixels both give the same sizes. Are they the same?

# %%
ways = {
    "padding 1": nn.MaxPool2d(3, stride=2, padding=1),
    "ceil": nn.MaxPool2d(3, stride=2, ceil_mode=True),
    "neither": nn.MaxPool2d(3, stride=2),
}
sides = defaultdict(dict)
for image_side in (224, 225, 256, 299):
    for way, pool in ways.items():
        maps, sides[way][image_side] = torch.empty(1, 1, (image_side + 1) // 2, (image_side + 1) // 2), []
        for _ in range(4):
            maps = pool(maps)
            sides[way][image_side].append(maps.shape[-1])

# %%
for way, found in sides.items():
    print(f"{way:10}", "  ".join(f"{image_side}: {line}" for image_side, line in found.items()))
ramp = torch.arange(36.0).view(1, 1, 6, 6)  # the numbers 0 to 35, row by row
for way in ("padding 1", "ceil"):
    print(f"{way:10} of a map of 6×6:", ways[way](ramp)[0, 0].int().tolist())

# %% tags=["claim"]
claim(
    "At 224 and at 256 pixels padding and ceil give maps of the same sizes.",
    all(sides["padding 1"][side] == sides["ceil"][side] for side in (224, 256)),
)
claim(
    "At 225 they do not, 57, 29, 15, 8 against 56, 28, 14, 7; nor at 299.",
    sides["padding 1"][225] == [57, 29, 15, 8]
    and sides["ceil"][225] == [56, 28, 14, 7]
    and sides["padding 1"][299] != sides["ceil"][299],
)
claim(
    "And where the sizes are equal, the windows are not: they lie one pixel apart.",
    torch.equal(ways["ceil"](ramp)[..., :2, :2], ways["padding 1"](ramp)[..., :2, :2] + 7),  # a row and a column on
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What v2 and v3 changed
#
# 2015, twice. First batch norm comes in; response normalisation and biases go, and two 3×3 stand for each 5×5. Then
# kernels are taken apart further: 7×7 into 1×7 and 7×1.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of these did the skies test? Two 3×3, and a row with a column. Usual wrong answer: v1,
# v2, v3 mean one thing each. Two papers call two different nets v2. -->

# %% [markdown]
# Take a kernel apart, with as many maps going in and between as come out, and count:


# %%
def weights(*sides, maps=64):
    return sum(nn.Conv2d(maps, maps, side, device="meta").weight.numel() for side in sides)


saved = {}
for large, small in [(5, [3, 3]), (7, [(1, 7), (7, 1)]), (3, [(1, 3), (3, 1)])]:
    sees = receptive_field(nn.Sequential(*[nn.Conv2d(1, 1, side) for side in small]))[-1].size
    saved[large] = 1 - weights(*small) / weights(large)
    print(f"{large}×{large} as {small}: sees {sees[0]}×{sees[1]}, {saved[large]:.1%} fewer weights")
with_5x5, with_3x3 = 25 * 16 * 32, 9 * 64 * 96 + 9 * 96 * 96
print(f"the branch in 3a: {with_5x5:,} weights in the 5×5 of 2014, {with_3x3:,} in the two 3×3 of 2015")

# %% [markdown]
# The module of 2015, then: our 3a of BN-Inception, whose pool takes the mean, beside the library's.


# %%
def inception_2015(n, row, conv):
    one, r3, three, rr, double, pooled = row
    pool = nn.AvgPool2d(3, stride=1, padding=1)
    branches = [
        conv(n, one, 1),
        nn.Sequential(conv(n, r3, 1), conv(r3, three, 3)),
        nn.Sequential(conv(n, rr, 1), conv(rr, double, 3), conv(double, double, 3)),
        nn.Sequential(pool, conv(n, pooled, 1)),
    ]
    return SideBySide(branches)


# %%
theirs = inception_v2().features.inception_3a.eval()
mine = inception_2015(192, (64, 64, 64, 64, 96, 32), partial(ConvNormAct, eps=1e-3)).eval()
mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values())))
maps = torch.rand(1, 192, 28, 28, generator=Generator().manual_seed(0))
with torch.no_grad():
    both = mine(maps), theirs(maps)

# %% tags=["claim"]
claim("From equal weights our 3a of 2015 and the library's give equal maps.", torch.allclose(*both, atol=1e-5))

# %%
with torch.device("meta"):
    family = {
        "GoogLeNet": (googlenet_2014(), 224),
        "BN-Inception": (inception_v2(), 224),
        "Inception v3": (inception_v3(), 299),
    }
sizes = {name: summary(model, (3, side, side))[-1] for name, (model, side) in family.items()}
for name, (model, side) in family.items():
    convs = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    biases = sum(layer.bias is not None for layer in convs)
    norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
    print(f"{name:14}{sizes[name].parameters:11,} parameters{sizes[name].macs:14,} multiply-adds at {side}×{side}")
    print(f"{len(convs):17} convolutions, {biases} with biases, {norms} batch norms; windows", end=" ")
    print(*sorted({"×".join(map(str, layer.kernel_size)) for layer in convs}))

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Two 3×3 save 28 % of a 5×5; 1×7 and 7×1 save 71.4 % of a 7×7; 1×3 and 3×1 a third of a 3×3.",
    [round(share, 3) for share in saved.values()] == [0.28, 0.714, 0.333],
)
claim("Yet in 3a the two 3×3 have ten times the weights: they were made wider too.", with_3x3 > 10 * with_5x5)
claim(
    "From 7.0 to 11.2 to 23.8 million parameters: each is larger than the one before.",
    [round(total.parameters / 1e6, 1) for total in sizes.values()] == [7.0, 11.2, 23.8],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what did they do with what they saved? They spent it, and more, on maps. Usual wrong answer:
# cheaper parts make a smaller network. -->

# %% [markdown]
# (The 5×5 in v3's row are its authors' code's; their paper draws two 3×3 there.) The saving holds part for part. The
# whole grew: 3.4 times the parameters from GoogLeNet to v3, and 3.6 times the work, of which a factor of two is the
# larger image: at 224×224 it would be 1.8 times.
#
# **Two nets called v2.** Inception is the name of the module and of the family; GoogLeNet, of 2014, is its v1. The
# paper on batch norm changes GoogLeNet as said and calls it BN-Inception [2]; that one is often called Inception v2,
# and is this course's `inception_v2`. The paper on v3 calls another net v2, its own with kernels taken apart, and v3
# what became of it by four changes more: another rule for the step (RMSProp), smooth labels, three 3×3 for the first
# 7×7, and batch norm in the classifier halfway [3]. Whoever says "v2" must say which.
#
# **Batch norm** let that net reach the accuracy of the same net without it in 14 times fewer steps, says the abstract
# [2]; a rate five times as large and other changes of the training helped. With batch norm alone it took less than
# half of the steps. In evaluation it costs nothing: you will fold it into the convolutions in an exercise.
#
# **Smooth labels.** Cross-entropy asks for a probability of 1, and the logits grow without end to get there. v3 asks
# for a little less: the right class gets 0.9 and a share of the rest, all others theirs. The paper reports a gain of
# 0.2 points [3]; you will write that loss, too.
#
# <details><summary>Further: the tables of v2 and v3</summary>
#
# BN-Inception has ten modules, two of which halve the maps themselves: without a 1×1 branch, and with stride 2 in the
# last layer of the others. Its table is `MODULES` in `cnnlib/models/inception_v2.py`. In two rows the paper's numbers
# add up to 608 maps where it prints 576; the file says how we read them.
#
# v3 takes images of 299×299. Its stem makes 192 maps of 35×35 of them. Then come three modules with a 5×5 and two 3×3
# (35×35), four with 1×7 and 7×1 (17×17), two in which 1×3 and 3×1 stand side by side, and are stacked (8×8), and two
# that halve between the groups. Its paper found 1×7 and 7×1 to work on maps of 12 to 20 pixels, and not in early
# layers [3]. What it lists as "factorised 7×7" is something else: the first convolution of the stem, replaced by
# three 3×3. `cnnlib/models/inception_v3.py` has all of it as data.
#
# v4 (2016) went on in the same way, and its authors tried shortcuts as well: ResNet, chapter 09.
#
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two classifiers halfway
#
# In training two small classifiers look at 4a and 4d. Their losses count 0.3 each. "To combat the vanishing
# gradient", it is said. The paper hoped for more.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "GoogLeNet with batch norm, before the first step: does the loss pull less at its first layers than at its last?",
    {
        "much less: it vanishes": "That is the usual story. What have He's weights and batch norm to say to it?",
        "about as much": "What would the two classifiers be for, if so? Say what else they might do.",
        "more": "What would a signal have to gain on its way back? Chapter 03 had a net in which it did.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Usual wrong answer: it vanishes, for the net is deep. Ask what chapter 05 found: it depends on the
# first weights. -->

# %% [markdown]
# The paper hoped for three things: features that tell classes apart early, a stronger gradient, and less overfitting
# [1]. Each classifier averages windows of 5×5, three apart, so that 4×4 places are left, and has a 1×1 convolution
# and two matrices [1]. In training the loss is the sum of the last classifier's and 0.3 times each of theirs. When
# the network is used, they are left out. (The listing takes the means of a 4×4 grid behind the 1×1 convolution, and
# never leaves them out.)


# %%
def halfway_classifier(n, classes=1000):
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3), conv(n, 128, 1), nn.Flatten(),
        nn.Linear(128 * 4 * 4, 1024), nn.ReLU(inplace=True), nn.Dropout(0.7), nn.Linear(1024, classes),
    )  # fmt: skip


theirs, mine = googlenet_2014(auxiliary=True).heads["inception_4a"].eval(), halfway_classifier(512).eval()
mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values())))
maps, line = torch.rand(2, 512, 14, 14, generator=Generator().manual_seed(0)), torch.arange(14.0).expand(1, 1, 14, 14)
with torch.no_grad():
    two_logits = mine(maps), theirs(maps)
centres = [pool(line)[0, 0, 0].tolist() for pool in (nn.AvgPool2d(5, 3), nn.AdaptiveAvgPool2d(4))]

# %% tags=["claim"]
claim(
    "From equal weights our classifier halfway and the library's give equal logits.",
    torch.allclose(*two_logits, atol=1e-5),
)
claim(
    "In a row of 14 places its windows stand around 2, 5, 8 and 11; the listing's around 1.5, 4.5, 8.5 and 11.5.",
    centres == [[2, 5, 8, 11], [1.5, 4.5, 8.5, 11.5]],
)

# %% [markdown]
# `aux-heads` is GoogLeNet with all nine modules, a sixteenth of the maps, for images of 28×28: they are as large as
# the maps behind the stem. With batch norm, or with biases and He's start; with the two classifiers, or without.

# %% tags=["nbval-ignore-output"]
halfway, stages = EXPERIMENTS["aux-heads"], ["stem", *ROWS]
few = halfway.LIVE.load()[0][:32].to(device)
images = Normalize(few)(few.pixels)


def pulls(arm, seed):
    """The pull on all weights of each module."""
    torch.manual_seed(seed)
    net, loss = halfway.build(arm).to(device), auxiliary_loss if arm.heads else cross_entropy
    squares = defaultdict(float)
    for name, norm in gradient_norms(net, images, few.labels, loss):
        squares[name.split(".")[1]] += norm**2 if name.startswith("features") else 0
    return [value**0.5 for value in squares.values() if value]


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
kinds = {"norm": "norm", "norm-heads": "norm, classifiers", "plain": "biases", "plain-heads": "biases, classifiers"}
found = {arm: [pulls(halfway.ARMS[arm], seed + k) for k in range(3)] for arm in kinds}
shown = {name: found[arm][0] for arm, name in kinds.items()}
plots.by_layer(shown, stages, "pull on the weights (norm)", "How strongly the loss pulls, before the first step")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of the four curves vanishes on its way back, to the left? None; with batch norm it grows.
# Usual wrong answer: the lower two do. They lose a factor of twenty at most, over twenty layers. -->

# %%
mean = {arm: [sum(column) / 3 for column in zip(*lines)] for arm, lines in found.items()}
grows = [line[1] / line[-1] for arm in ("norm", "norm-heads") for line in found[arm]]
falls = [line[0] / line[-1] for arm in ("plain", "plain-heads") for line in found[arm]]
added = [mean[f"{arm}-heads"][1] / mean[arm][1] for arm in ("norm", "plain")]

# %% tags=["claim"]
claim("With batch norm 3a is pulled at least twice as hard as 5b: nothing vanishes.", min(grows) > 2)
claim("Without, from He's weights, the stem with at least a twentieth of the force on 5b.", min(falls) > 0.05)
claim(
    "The classifiers change the pull on 3a by less than a factor of three, in the mean.",
    all(1 / 3 < factor < 3 for factor in added),
)

# %% [markdown]
# With batch norm the answer is *more*. With biases it is less, but that is not vanishing: there is nothing for the
# two classifiers to rescue. But He's start is of 2015. What if the first weights have one small deviation in every
# layer, as AlexNet's had (chapters 05 and 06)?


# %% tags=["nbval-ignore-output"]
def from_small_weights(arm, deviation, bias):
    """The pull on the first layer of 3a, and on that of 5b; biases up to `bias` either way."""
    torch.manual_seed(seed)
    net, loss = halfway.build(arm).to(device), auxiliary_loss if arm.heads else cross_entropy
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.uniform_(layer.bias, -bias, bias)
    norms = gradient_norms(net, images, few.labels, loss)
    return [next(norm for name, norm in norms if module in name) for module in ("inception_3a", "inception_5b")]


# %% tags=["nbval-ignore-output"]
pair = halfway.ARMS["plain-heads"], halfway.ARMS["plain"]
starts = product((0.1, 0.01), (0, 0.02))
rescue = {start: [from_small_weights(arm, *start) for arm in pair] for start in starts}
for (deviation, bias), strengths in rescue.items():
    told = (f"{what} 3a {first:.0e}, 5b {last:.0e}" for what, (first, last) in zip(("with", "without"), strengths))
    print(f"deviation {deviation}, biases to {bias}, the pull:", "; ".join(told))

# %%
lag = {start: [last / first if first else inf for first, last in found] for start, found in rescue.items()}

# %% tags=["claim"]
claim(
    "With biases of zero the classifiers make the pull on 3a over ten times as strong from 0.1, over a thousand times "
    "from 0.01.",
    all(rescue[start][0][0] > factor * rescue[start][1][0] for start, factor in (((0.1, 0), 10), ((0.01, 0), 1000))),
)
claim(
    "But without them 3a is not worse off than 5b then: their pulls differ by less than a factor of thirty.",
    all(1 / 30 < first / last < 30 for (_, bias), (_, (first, last)) in rescue.items() if not bias),
)

# %% tags=["claim"]
claim(
    "With small biases it is: without classifiers 3a is pulled over a hundred times less than 5b, from either.",
    all(100 * first < last for (_, bias), (_, (first, last)) in rescue.items() if bias),
)
claim("From 0.1 the classifiers undo most of that: it lags five times less.", 5 * lag[0.1, 0.02][0] < lag[0.1, 0.02][1])
claim("From 0.01, with them, it still is pulled ten thousand times less than 5b.", lag[0.01, 0.02][0] > 1e4)

# %% [markdown]
# So the classifiers lift something, from one small deviation for every layer. What it is depends on the biases. With
# biases of zero 3a is pulled about like 5b, and all of them next to not at all, for the output is small. With biases
# of at most 0.02, as in chapter 06, the later layers get inputs that do not fade, and 3a, at the end of the way back,
# is left behind: that is the vanishing gradient. From 0.1 the classifiers undo most of it. From 0.01 they lift 3a a
# hundred thousand times and more, and it is left behind all the same. Whether a net learns by that we have not
# measured. From He's start, or with batch norm, there is nothing to lift. Do they help all the same? Ten seeds of each
# were recorded: 800 clothes, five passes, from equal first weights, one rate for each pair, the best for its net
# *without* classifiers. (`python -m cnnlib run aux-heads --seeds 10 --folder FOLDER` makes the records anew; with
# `--full` on 60,000 clothes, for which you want a GPU.)

# %%
heads = records.read_all("aux-heads")
passes = {arm: [[Score(run.seed, run.epochs[k]["accuracy"]) for run in heads[arm]] for k in range(5)] for arm in kinds}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
means = {name: [100 - 100 * mean_accuracy(some) for some in passes[arm]] for arm, name in kinds.items()}
numbers = ["pass 1", "2", "3", "4", "5"]
plots.by_layer(means, numbers, "training error, %", "Mean training error with and without auxiliary classifiers")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which two would you compare, and which not? Those of one pair; norm against biases is another
# question, with the larger answer. Usual wrong answer: the classifiers must show, for the paper has them. -->

# %% tags=["claim"]
claim(
    "Recorded: in none of five passes is a net with classifiers surely a point ahead, on training images.",
    not any(beats(a, b, by=0.01) for arm in ("norm", "plain") for a, b in zip(passes[f"{arm}-heads"], passes[arm])),
)
claim(
    "Recorded: beyond the noise of the seeds they are ahead in the first pass with batch norm, and in no other.",
    [k + 1 for k in range(5) if beats(passes["norm-heads"][k], passes["norm"][k], by=0)] == [1]
    and not any(beats(a, b, by=0) for a, b in zip(passes["plain-heads"], passes["plain"])),
)
claim(
    "Recorded, after these 125 steps: the net with batch norm is twenty points of unseen clothes ahead, at least.",
    beats(heads["norm"], heads["plain"], by=0.2),
)

# %% [markdown]
# With batch norm the nets name 72.0 %<!-- aux-heads: norm, heads, mean --> of unseen clothes with classifiers and
# 71.2 %<!-- aux-heads: norm, mean --> without. With biases it is 32.8 %<!-- aux-heads: plain, heads, mean --> against
# 38.6 %<!-- aux-heads: plain, mean -->, from seeds that lie anywhere between 12.6 %<!-- aux-heads: plain, heads, min
# --> and 54.5 %<!-- aux-heads: plain, max -->: with classifiers the net is ahead in five seeds of ten and behind in
# five, which decides nothing. 125 steps of a narrow net cannot exclude a gain of a few points, and they are not the
# paper's training.
#
# The paper on v3 looked again, at full size: no faster at the beginning, a little better at the end; and one of the
# two can go without harm. Of the three hopes it keeps the last: they act against overfitting [3].

# %% [markdown]
# ## And on photographs?
#
# The course's ladder (chapter 04) has two rungs for this chapter, for the photographs of CIFAR-10: `googlenet_cifar`,
# all nine modules with a quarter of their maps, and `inception_v3_cifar`, all eleven of v3 with an eighth. Both have
# batch norm and, in place of the stem, a single 3×3 convolution; neither has a classifier halfway. As for all rungs,
# eight passes at a rate of 0.01. They were trained once each, in mixed precision (products in numbers of 16 bits, to
# save time: chapter 12), as NiN was.

# %% jupyter={"source_hidden": true}
predict(
    "Both have fewer parameters than the ladder's VGG of chapter 06, and more work. Which of the three reads the most?",
    {
        "VGG": "It has the most weights. How often does it use each?",
        "GoogLeNet": "v3 was made to mend it. What would put the older one in front?",
        "Inception v3": "It is a year younger. At an eighth of its maps, what is left of its modules?",
    },
)

# %%
rungs = [
    "lenet_cifar",
    "alexnet_cifar",
    "zfnet_cifar",
    "nin_cifar",
    "vgg_cifar",
    "googlenet_cifar",
    "inception_v3_cifar",
]
photographs = ladder.recorded(*rungs)
print(ladder.prices(photographs))

# %% tags=["nbval-ignore-output"]
plots.ladder({}, photographs, ladder.ARMS, 0.6, "Test accuracy on CIFAR-10, eight epochs")

# %% tags=["claim"]
claim(
    "Recorded: the one run of GoogLeNet reads over 82 %, that of Inception v3 over 79 %, the others less than 77 %.",
    photographs["googlenet_cifar"][0].accuracy > 0.82
    and photographs["inception_v3_cifar"][0].accuracy > 0.79
    and max(run.accuracy for arm in rungs[:5] for run in photographs[arm]) < 0.77,
)
claim(
    "With fewer parameters than VGG they do over nine times its multiply-adds, and over five times.",
    photographs["googlenet_cifar"][0].macs > 9 * photographs["vgg_cifar"][0].macs
    and photographs["inception_v3_cifar"][0].macs > 5 * photographs["vgg_cifar"][0].macs
    and max(photographs[arm][0].parameters for arm in rungs[5:]) < photographs["vgg_cifar"][0].parameters,
)

# %% [markdown]
# GoogLeNet reads 83.3 %<!-- ladder-full-bfloat16: googlenet_cifar, mean -->, Inception v3 80.3 %<!--
# ladder-full-bfloat16: inception_v3_cifar, mean -->, the VGG 76.1 %<!-- ladder-full: vgg_cifar, mean --> in the mean
# of three. From VGG to GoogLeNet it is the largest step of the ladder so far, by one run. Is it owed to several
# windows side by side? The rung cannot say. GoogLeNet has 55 convolutions, the VGG eight, each with a norm; it does
# nine times the work. Training it took one processor core 4,206 seconds<!-- ladder-full-bfloat16: googlenet_cifar,
# seconds, mean -->, with another training beside it. But work alone does not do it: NiN, without a norm, does twenty
# times the VGG's, and reads less. And v3 behind GoogLeNet? That is one run of each, and we cut the one down to a
# quarter of its maps, the other to an eighth. Of the large ones it says nothing.

# %% [markdown]
# ## Does it hold up?
#
# Five sentences that people say about GoogLeNet and its successors. Take a side before you read the answer.

# %%
pool, incoming = nn.MaxPool2d(3, stride=1, padding=1), torch.empty(1, 192, 28, 28, device="meta")
with torch.device("meta"):
    trained = googlenet_2014(auxiliary=True)
sections = (trained.features, trained.classifier, trained.heads)
matrices = [sum(isinstance(layer, nn.Linear) for layer in part.modules()) for part in sections]
print("fully connected layers in features, classifier, classifiers halfway:", matrices)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "GoogLeNet has a twelfth of AlexNet's parameters.",
    [alexnet / count >= 11.5 for count in versions.values()],
    because="an 8.7th; the slogan says 5 million, the table 7",
)
verdict(
    "The 3×3 pooling in the module makes the maps smaller.",
    pool(incoming).shape[2] < 28,
    because="its stride is 1; the pools between the stages halve them",
)
verdict(
    "Inception v3 has fewer parameters than BN-Inception, which many call v2.",
    sizes["Inception v3"].parameters < sizes["BN-Inception"].parameters,
    because="cheaper parts, but more and wider ones: twice the parameters",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each sentence before showing this slide. Usual wrong answer to the second: a pool
# halves, that is what pools are for. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Auxiliary classifiers speed up training.",
    [beats(a, b, by=0.01) for arm in ("norm", "plain") for a, b in zip(passes[f"{arm}-heads"], passes[arm])],
    because="in no pass surely by a point, though 125 steps could hide one; v3's paper saw none at the beginning",
)
verdict(
    "GoogLeNet has no fully connected layer but the last.",
    [matrices[0] + matrices[1] == 1, matrices[2] == 0],
    because="so it is on its main path; in training each classifier halfway has two more",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the five did you believe an hour ago? Usual wrong answer: all of them; each stands in
# some lecture. -->

# %% [markdown]
# ## Interrogate the result
#
# What does each branch of the module that you trained by hand tell? Take one branch's maps alone, average each over
# the sky, and let a reader who knows nothing but distance name it: half of the test skies give the mean of each kind,
# the other half are named by the nearest of the four.

# %% tags=["nbval-ignore-output"]
with torch.no_grad(), recording(net, *[f"0.1.{place}" for place in range(4)]) as by_branch:
    logits = net(normalize(test_set.pixels))
told = {}
for name, maps in zip(("1×1", "3×3", "5×5", "pool"), by_branch.values()):
    means = maps.mean((2, 3))
    known, asked = (means / means.std(0).clamp(min=1e-6)).split(500)
    kinds_known, kinds_asked = test_set.labels.split(500)
    middles = torch.stack([known[kinds_known == kind].mean(0) for kind in range(4)])
    right = torch.cdist(asked, middles).argmin(1) == kinds_asked
    told[name] = {kind: right[kinds_asked == k].float().mean().item() for k, kind in enumerate(test_set.classes)}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
plots.shares(told, "Skies named rightly by one branch's maps alone")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: a pool has no weights; how can it know anything about distances? Dots side by side cover less,
# once each has grown to 3×3, than dots further apart. Usual wrong answer: each branch knows its own distance. -->

# %%
right = {name: sum(row.values()) / 4 for name, row in told.items()}

# %% tags=["claim"]
claim("The 1×1 alone guesses: below 35 %.", right["1×1"] < 0.35)
claim(
    "The 3×3 alone is right on three in four, the 5×5 on nearly all: over 95 %.",
    0.65 < right["3×3"] < 0.8 and right["5×5"] > 0.95,
)
claim(
    "The pool's branch, where only the pool looks around, is right on more than a guess: between 35 and 55 %.",
    0.35 < right["pool"] < 0.55,
)

# %% [markdown]
# And what does a network do that cannot see? Train the one without the 5×5 by hand, and ask whom it mixes up and how
# sure it is.

# %% tags=["nbval-ignore-output"]
torch.manual_seed(seed)
narrow, three_in_four = taught(inceptions.build(inceptions.ARMS["no-5x5"]))
with torch.no_grad():
    confidence, guesses = narrow(normalize(test_set.pixels)).softmax(1).max(1)
matrix = confusion_matrix(test_set.labels, guesses, test_set.classes)
far = test_set.labels >= 2
sure = [confidence[part].mean() for part in (~far, far)]
print(f"right {three_in_four:.0%}; sure of near twins {sure[0]:.0%}, of far ones {sure[1]:.0%}")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
plots.confusion(matrix, test_set.classes, "Without the 5×5: which sky it takes for which")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: three or four apart, it prefers one of the two; does that help? No: what it wins on one kind it
# loses on the other. Usual wrong answer: it has learned a little about four. -->

# %% tags=["claim"]
claim(
    "It mixes up three and four apart, and hardly anything else.",
    matrix.sum() - matrix.diag().sum() - matrix[2, 3] - matrix[3, 2] < 20,
)
claim(
    "It knows that it does not know: over 90 % sure of near twins, below 65 % of far ones.",
    sure[0] > 0.9 and sure[1] < 0.65,
)

# %% [markdown]
# The confidence is what it should be: about one half, for a choice of two. Nobody taught it that the far ones cannot
# be told apart. It found no weights that would do better.

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### How many maps come out?
#
# 3 minutes, ●○○
#
# Write `maps_after`: how many maps does a module put out? `row` holds its six numbers in the order of the table: 1×1;
# reduction and 3×3; reduction and 5×5; the 1×1 behind the pool.


# %%
def maps_after(row): ...


# %%
check(maps_after)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_maps_after(row):
    one, _, three, _, five, pooled = row
    return one + three + five + pooled


check(solution_maps_after, of="maps_after")

# %% [markdown]
# ### Count a module
#
# 8 minutes, ●●○
#
# Write `module_parameters`: how many parameters has a module of 2014, into which `inputs` maps go? Its six
# convolutions have biases.


# %%
def module_parameters(inputs, row): ...


# %%
check(module_parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_module_parameters(inputs, row):
    one, r3, three, r5, five, pooled = row
    convolutions = [(inputs, 1, one), (inputs, 1, r3), (r3, 3, three), (inputs, 1, r5), (r5, 5, five)]
    convolutions.append((inputs, 1, pooled))
    return sum((n * side * side + 1) * maps for n, side, maps in convolutions)


check(solution_module_parameters, of="module_parameters")

# %% [markdown]
# ### A row and a column are a square
#
# 10 minutes, ●●○
#
# A 1×k convolution with the weights `across` (between×in×1×k), then a k×1 convolution with `down` (out×between×k×1);
# no biases, and nothing between them (v3 has batch norm and ReLU there, so its two are *not* one). Both together are
# *one* convolution. Write `joined`: its weights, out×in×k×k. (With one map in, between and out: which k×k kernels can
# never be had so? And with k maps between?)


# %%
def joined(across, down): ...


# %%
check(joined)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_joined(across, down):
    return torch.einsum("obi,bcj->ocij", down[:, :, :, 0], across[:, :, 0])


# One map between: all rows of the kernel are multiples of one row, so a diagonal of ones cannot be had. k maps: every
# kernel can.
check(solution_joined, of="joined")

# %% [markdown]
# ### Smooth labels
#
# 10 minutes, ●●○
#
# Write `smooth_loss`, the loss of v3. Of K classes each gets the target ε/K, and the right one 1 − ε on top. The loss
# of an image is minus the sum of target times log-probability; return the mean over the batch. `logits` are N×K,
# `labels` N whole numbers, `epsilon` is at least 0 and below 1. Do not call `F.cross_entropy`. When it passes: what
# loss is the smallest possible with ε = 0.1 and ten classes?


# %%
def smooth_loss(logits, labels, epsilon): ...


# %%
check(smooth_loss)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_smooth_loss(logits, labels, epsilon):
    classes = logits.shape[1]
    hot = nn.functional.one_hot(labels, classes)
    targets = (1 - epsilon) * hot + epsilon / classes
    return -(targets * logits.log_softmax(1)).sum(1).mean()


# The smallest possible, with 0.91 for the right class: -(0.91 * log(0.91) + 9 * 0.01 * log(0.01)) = 0.500, never 0.
check(solution_smooth_loss, of="smooth_loss")

# %% [markdown]
# ### Batch norm for nothing
#
# 12 minutes, ●●●
#
# In evaluation batch norm takes from each map its `running_mean`, divides by the root of `running_var` plus `eps`,
# multiplies by `weight` and adds `bias` (all of `norm`). A convolution before it can do that as well. Write
# `fold_norm`: it returns weight and bias of the one convolution that does what `conv`, which has no bias, and `norm`
# do. So a GoogLeNet with batch norm is, when it is used, a GoogLeNet with biases.


# %%
def fold_norm(conv, norm): ...


# %%
check(fold_norm)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_fold_norm(conv, norm):
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = conv.weight * factor[:, None, None, None]
    return weight, norm.bias - norm.running_mean * factor


check(solution_fold_norm, of="fold_norm")

# %% [markdown]
# ### A module of your own
#
# 20 minutes, ●●●
#
# Write `own_module`: it returns a module that takes `inputs` (192) maps of 28×28 and gives at least 256 maps of
# 28×28, with at most 64,000,000 multiply-adds: half of 3a. Some maps must see one pixel, some three across, some
# five. Every weight must get a gradient. There are many answers. When you have one: what did you give up that 3a has,
# and how would you find out whether it is missed?


# %%
def own_module(inputs): ...


# %%
check(own_module)


# %% tags=["solution"] jupyter={"source_hidden": true}
class Together(nn.ModuleList):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)


def solution_own_module(inputs):
    def layer(n, maps, side):
        return nn.Sequential(nn.Conv2d(n, maps, side, padding=side // 2), nn.ReLU())

    # Few maps go to the windows; two 3×3 in place of the 5×5.
    three = nn.Sequential(layer(inputs, 32, 1), layer(32, 64, 3))
    five = nn.Sequential(layer(inputs, 16, 1), layer(16, 32, 3), layer(32, 32, 3))
    return Together([layer(inputs, 160, 1), three, five])


check(solution_own_module, of="own_module")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - Branches side by side: maps add up, sizes stay.
# - A 1×1 before a window makes it cheap.
# - A large window sees what small ones see. A stack of small ones is large.
# - Let code add up what a table says.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to draw the module from memory, with the six numbers of 3a. -->

# %% [markdown]
# **Sources.** [1] C. Szegedy and others, *Going Deeper with Convolutions*, 2014, arXiv:1409.4842. [2] S. Ioffe, C.
# Szegedy, *Batch Normalization*, 2015, arXiv:1502.03167. [3] C. Szegedy and others, *Rethinking the Inception
# Architecture for Computer Vision*, 2015, arXiv:1512.00567.
#
# **Next**, chapter 09: ResNet, which adds where this one stacks. **Before**, chapter 07: Network in Network, from
# which the 1×1 convolutions came.
