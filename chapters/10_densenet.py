# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # DenseNet
#
# ResNet adds what a layer finds to what it was given. What if nothing were added, and every layer could read all that
# was found before it?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: what does a sum lose that a stack keeps? Usual wrong answer: nothing, for addition has an
# inverse. It has, if you know one of the two terms. -->

# %% [markdown]
# This chapter takes about an hour; its code runs in about a minute. You need convolutions (chapter 01), training and
# `beats` (03), the 1×1 convolution (07), stacking (08) and the shortcut (09). You will leave able to build
# DenseNet-121 and to find what a published listing of it lacks; to count its connections; to say why a network with
# few parameters wants much memory, and how to pay for it with time; and to tell a map of weights from a measurement
# of use.
#
# **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked for a
# prediction, commit to one before you run on. The exercises stand together at the end.

# %%
import copy
import time
from dataclasses import replace
from statistics import median

import torch
from torch import Generator, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

# %%
from cnnlib import plots, records
from cnnlib.analysis import confusion_matrix, gradient_norms, summary
from cnnlib.claims import beats, claim, mean_accuracy, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import densenets, ladder
from cnnlib.models import densenet121, resnet50, vgg16
from cnnlib.models.densenet import checkpointed
from cnnlib.training import default_device, first_seed, train
from cnnlib.vision import torchvision
from cnnlib.weights import load_in_order

device = default_device()
torch.set_num_threads(1)  # nets as small as these are quicker on one core than on several that must agree

# %% [markdown]
# ## The question
#
# A block of ResNet (chapter 09) puts out its input *plus* what its layers found. Input and finding lie in the same
# maps from then on: a later layer gets the sum. Huang, Liu, van der Maaten and Weinberger asked in August 2016 what
# happens if they are kept apart [1].
#
# **What came before, what was new, what was dropped.** Before: shortcuts that add [2]; stacking, in the Inception
# module [3]; the 1×1 convolution before a larger one, which makes many maps few [3]; the mean of each map at the end.
# In the spring some of the authors had trained ResNets in which whole layers are dropped at random, and found that
# many can be missed [4]. So, they thought, most layers add little, and could be narrow, if only nothing got lost. New
# was the *dense block*: each layer reads the maps of all layers before it in the block, and adds a few of its own.
# What stayed: stacking what was found early for those who come late. What did not become the rule is the network as a
# whole. This chapter measures one of its costs.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The one idea
#
# A layer reads *all* earlier maps of its block, stacked. It puts out a few new ones. These join the stack; nothing in
# it is ever changed.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw a pile of cards: each layer reads the whole pile and puts k cards on top. Ask: how many maps
# does the fourth layer read, if 64 came in and each adds 32? 64 + 3·32 = 160. Usual wrong answer: 192, its own
# counted. -->

# %% [markdown]
# How many a layer adds is called the *growth rate*, $k$. In code a layer is batch norm, ReLU and a convolution, in
# this order: norm first, since what arrives was put together from several layers.


# %%
def norm_relu_conv(inputs, maps, window, bias=False):
    conv = nn.Conv2d(inputs, maps, window, padding=window // 2, bias=bias)
    nn.init.kaiming_normal_(conv.weight)
    return [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), conv]


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
class DenseLayer(nn.Sequential):
    def forward(self, maps):
        return super().forward(torch.cat(maps, dim=1))


class DenseBlock(nn.ModuleList):
    def forward(self, x):
        maps = [x]
        for layer in self:
            maps.append(layer(maps))
        return torch.cat(maps, dim=1)


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: where is the growth rate in this code? Nowhere: it is what a layer puts out. And what would
# turn it into a ResNet? A sum in place of the list. Usual wrong answer: `torch.cat` adds the maps up. -->


# %%
def plain_layer(inputs, growth, bias=False):
    return DenseLayer(*norm_relu_conv(inputs, growth, 3, bias))


torch.manual_seed(0)
block = DenseBlock(plain_layer(16 + 8 * i, 8) for i in range(6))
x = torch.randn(4, 16, 10, 10)
stacked = block(x)
print(f"{x.shape[1]} maps in, six layers of growth 8: {stacked.shape[1]} maps out")

# %% [markdown]
# Which layer reads what? Let us not trust the drawing, and count. A *hook* is a function that torch calls when a
# module runs. This one is called before each layer and notes how many *parcels* it is handed: one is what came into
# the block, the others are what each earlier layer added. Each parcel that a layer reads is one *connection*. (In
# chapter 04 the word meant each use of a number.)


# %%
def parcels(net, x):
    """How many parcels of maps each dense layer is handed, in order."""
    seen = []
    layers = [module for module in net.modules() if isinstance(module, DenseLayer)]
    hooks = [layer.register_forward_pre_hook(lambda layer, inputs: seen.append(len(inputs[0]))) for layer in layers]
    net(x)
    for hook in hooks:
        hook.remove()
    return seen


six = parcels(block, x)
print(six, "together", sum(six))

# %% slideshow={"slide_type": "slide"}
plots.connections([range(count) for count in six], ("parcel", "layer of the block"), "Which parcels each layer reads")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Parcel 0 is what came into the block. Ask: how many squares for L layers? 1 + 2 + ... + L. Usual
# wrong answer: L(L−1)/2, the block's input forgotten. -->

# %% tags=["claim"]
claim("Layer by layer 1, 2, 3 ... parcels: six layers have 21 connections, L(L+1)/2.", sum(six) == 6 * 7 / 2)
claim("What came into the block stands at its end unchanged.", torch.equal(stacked[:, :16], x))

# %% [markdown]
# That is the difference to a sum. In the output of a ResNet block what came in no longer stands by itself.
#
# ## The network
#
# Blocks of 6, 12, 24 and 16 layers; between them the maps are halved in side, and in number. Stacks need equal sides,
# so no stack reaches across. (The layers of the real one have two convolutions each; they come in a moment.)

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "DenseNet-121: 121 layers with weights, dense blocks of 6, 12, 24 and 16 dense layers. How many connections?",
    {
        "120": "One from each layer to the next: that is a network without any of what makes this one dense.",
        "535": "Which numbers did you add up? What do they leave out?",
        "1,711": "You took all dense layers of the net for one block. Can a 7×7 map be stacked on a 56×56 one?",
        "7,381": "L(L+1)/2 with L = 121. What does the L of the formula count?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. A vote by hands. Usual wrong answer: 7,381, for the abstract says "L layers, L(L+1)/2 connections"
# and the network is called 121. -->

# %% [markdown]
# Here is the whole network as a function. `stem` makes the first maps, `layer` says of what kind the dense layers
# are. Between two blocks stands a *transition*: norm, ReLU, a 1×1 convolution to half the maps, and a pool that takes
# the mean of 2×2 pixels.


# %%
def densenet(stem, maps, layer, blocks, growth, classes, bias=False, last_norm=True):
    parts = list(stem)
    for number, depth in enumerate(blocks, start=1):
        parts.append(DenseBlock(layer(maps + i * growth, growth, bias) for i in range(depth)))
        maps += depth * growth
        if number < len(blocks):
            parts += [*norm_relu_conv(maps, maps // 2, 1, bias), nn.AvgPool2d(2)]
            maps //= 2
    parts += [nn.BatchNorm2d(maps), nn.ReLU(inplace=True)] if last_norm else []
    matrix = nn.Linear(maps, classes)
    nn.init.zeros_(matrix.bias)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), matrix)
    return nn.Sequential(nn.Sequential(*parts), head)


# %%
BLOCKS = (6, 12, 24, 16)


def for_photos(layer, bias=False, last_norm=True):
    """A DenseNet with growth 32 for images of 224×224 in 1,000 classes."""
    conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=bias)
    stem = [conv, nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)]
    return densenet(stem, 64, layer, BLOCKS, 32, 1000, bias, last_norm)


with torch.device("meta"):  # shapes without numbers
    printed, photo = for_photos(plain_layer, bias=True, last_norm=False), torch.empty(2, 3, 224, 224)
*parts, whole = summary(printed, (3, 224, 224))
dense_blocks = [part for part in parts if part.kind == "DenseBlock"]
counts = parcels(printed, photo)
print("maps behind each block:", [part.shape for part in dense_blocks])
per_block = [sum(part.tolist()) for part in torch.tensor(counts).split(BLOCKS)]
print("connections:", per_block, sum(counts))

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "21, 78, 300 and 136 connections: 535 in all, each block for itself.",
    per_block == [21, 78, 300, 136] and sum(counts) == 535,
)
claim(
    "Maps pile up to 256, 512, 1,024 and 1,024, and their side is 56, 28, 14, 7.",
    [part.shape[:2] for part in dense_blocks] == [(256, 56), (512, 28), (1024, 14), (1024, 7)],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: how many maps does the last layer of the third block read? 256 + 23·32 = 992. Usual wrong
# answer: 1,024, its own included. -->

# %% [markdown]
# (One text prints the formula as L(L+1)2. A fraction bar was lost on the way: it is four times too much.)
#
# ## From a listing to DenseNet-121
#
# What you have just counted is a published listing that calls itself DenseNet-121. It runs. But let us count its
# layers with weights, and its parameters.


# %%
def layers_with_weights(net):
    return sum(isinstance(part, nn.Conv2d | nn.Linear) for part in net.modules())


print(f"the listing: {layers_with_weights(printed)} layers with weights, {whole.parameters:,} parameters")

# %% [markdown]
# 63 layers, not 121. It lacks the *bottleneck*: in the paper's nets for ImageNet each dense layer first makes $4k$
# maps of all that it reads by a 1×1 convolution, and looks at these through 3×3 [1, section 3]. (In the first layers
# of the network that is more than there were.)


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def bottleneck_layer(inputs, growth, bias=False):
    return DenseLayer(
        *norm_relu_conv(inputs, 4 * growth, 1, bias),
        *norm_relu_conv(4 * growth, growth, 3, bias),
    )


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask for the weights of both kinds of layer for n maps in: 288n without, 128n + 36,864 with. Usual
# wrong answer: the second convolution reads n maps too. -->

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Give each of the 58 dense layers its bottleneck, k = 32. What happens to the parameters of the layers?",
    {
        "all shrink": "Which shrinks least? Reckon with the first layer, which reads 64 maps.",
        "all grow: a convolution is added": "Which grows least? Reckon with the last layer, which reads 992 maps.",
        "some grow, some shrink": "Which are which? Reckon with the number of maps at which it changes.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Usual wrong answer: all shrink, "a bottleneck reduces". Have them solve 290n = 130n + 37,120. -->

# %%
reads = [64 + 32 * i for i in range(6)] + [128 + 32 * i for i in range(12)]
reads += [256 + 32 * i for i in range(24)] + [512 + 32 * i for i in range(16)]


def parameters_of(layer, inputs):
    return sum(p.numel() for p in layer(inputs, 32).parameters())


with torch.device("meta"):
    kinds = (plain_layer, bottleneck_layer)
    by_layer = {n: [parameters_of(kind, n) for kind in kinds] for n in sorted(set(reads))}
    two = ([parameters_of(kind, n) for kind in kinds] for n in range(64, 1000))
    break_even = next(n for n, (plain, narrow) in enumerate(two, start=64) if narrow < plain)
for n in (64, 224, 256, 992):
    print(f"{n:4} maps in: {by_layer[n][0]:8,} parameters without a bottleneck, {by_layer[n][1]:8,} with one")
grown = [place for place, n in enumerate(reads) if by_layer[n][1] > by_layer[n][0]]
print(f"it pays from {break_even} maps on; {len(grown)} of {len(reads)} layers grow")

# %%
steps = {"as printed": (plain_layer, True, False), "no biases before a norm": (plain_layer, False, False)}
steps |= {"a norm at the end": (plain_layer, False, True), "bottlenecks": (bottleneck_layer, False, True)}
costs = {}
for name, (layer, bias, last_norm) in steps.items():
    with torch.device("meta"):
        net = for_photos(layer, bias, last_norm)
    costs[name] = summary(net, (3, 224, 224), depth=1)[-1]
    print(f"{name:24}{costs[name].parameters:11,} parameters {costs[name].macs / 1e9:6.3f} billion", end=" ")
    print(f"multiply-adds, {layers_with_weights(net):3} layers")
ours = net

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "10,869,864 parameters as printed; 10,869,096 without biases and with the last norm; 7,978,856 in the end.",
    [costs[name].parameters for name in ("as printed", "a norm at the end", "bottlenecks")]
    == [10_869_864, 10_869_096, 7_978_856],
)
claim("From 63 layers with weights to 121.", [layers_with_weights(net) for net in (printed, ours)] == [63, 121])
claim(
    "A bottleneck pays where more than 232 maps come in: all six layers of the first block grow.",
    break_even == 233 and set(range(6)) <= set(grown),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: why is a bias before a norm for nothing? The norm subtracts the mean, and the bias with it
# (chapter 06). Usual wrong answer: it makes the net stronger. -->

# %% [markdown]
# Nearly twice as many layers, and a quarter fewer parameters. Which layers of the second block grow too? The count
# above says; work it out before you look.
#
# ### Proof card
#
# From equal weights: our network, the library's, and torchvision's.

# %%
torch.manual_seed(0)
library = densenet121().eval()
loaded = for_photos(bottleneck_layer).eval()
load_in_order(loaded, library.state_dict())
with torch.device("meta"):
    twin = torchvision().models.densenet121()
twin.load_state_dict(dict(zip(twin.state_dict(), library.state_dict().values())), assign=True)
image = torch.randn(1, 3, 96, 96)
with torch.no_grad():
    logits = [net(image) for net in (loaded, library, twin.eval())]
names = {"ours": loaded, "the library's": library, "torchvision's": twin}
print({name: f"{sum(p.numel() for p in net.parameters()):,}" for name, net in names.items()})

# %% tags=["claim"]
claim("Our DenseNet-121 and the library's: equal weights, equal logits.", torch.allclose(*logits[:2], atol=1e-4))
claim("And torchvision's.", torch.allclose(logits[0], logits[2], atol=1e-4))
claim(
    "All three have 7,978,856 parameters.",
    {sum(p.numel() for p in net.parameters()) for net in names.values()} == {7_978_856},
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Few parameters, much memory?
#
# In training each layer keeps what it will need on the way back: mostly its inputs. DenseNet-121 has a third of
# ResNet-50's parameters.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "What do they keep for one photograph, in training?",
    {
        "DenseNet-121 about a third of ResNet-50": "Parameters are there once. What is kept once for each image?",
        "about as much": "Both have maps of the same sides. How many does each net keep, and how often?",
        "DenseNet-121 half as much again": "Which numbers would it keep more than once, and what for?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Usual wrong answer: a third, since memory is thought of as parameters. -->

# %%
with torch.device("meta"):
    family = {"the listing": printed, "DenseNet-121": densenet121(), "ResNet-50": resnet50(), "VGG-16": vgg16()}
    family["DenseNet-121, checkpointed"] = checkpointed(densenet121())
totals = {name: summary(net, (3, 224, 224), depth=1)[-1] for name, net in family.items()}
kept = {name: total.saved / 2**20 for name, total in totals.items()}  # MiB, 1,048,576 bytes
for name, total in totals.items():
    described = f"{total.parameters / 1e6:6.1f} million parameters, {total.macs / 1e9:4.1f} billion multiply-adds"
    print(f"{name:27}{described}, {kept[name]:4.0f} MiB kept for an image")


def needed(name, images):  # weights, gradients and momentum, and what is kept for so many images; in MiB
    return 12 * totals[name].parameters / 2**20 + images * kept[name]


for images in (1, 32):
    both = [f"{name} {needed(name, images):,.0f}" for name in ("DenseNet-121", "ResNet-50")]
    print(f"MiB with weights, gradients and momentum, for {images} at once:", *both)

# %% [markdown]
# (*Checkpointed* comes below.) Where does it come from? A dense layer stacks all earlier maps anew. Its norm keeps
# the stack, and its ReLU a second copy. So a block of $L$ plain layers into which $c$ maps come keeps
#
# $$ 2 \sum_{i=0}^{L-1} (c + i k) \;=\; 2 L c + k L (L - 1) $$
#
# maps: the *square* of its depth. A row of residual blocks keeps as much in each layer as in the one before. Let us
# see, on maps of 28×28.


# %%
class Added(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Forgetful(DenseLayer):
    """Keeps what it was handed, and on the way back computes the rest again."""

    def forward(self, maps):
        return checkpoint(lambda *maps: DenseLayer.forward(self, maps), *maps, use_reentrant=False)


def forgetful_layer(inputs, growth):
    return Forgetful(*norm_relu_conv(inputs, growth, 3))


# %%
depths, growth = (4, 8, 12, 16, 20), 32


def kept_by(net):
    return summary(net, (64, 28, 28), depth=1)[-1].saved / 1e6


with torch.device("meta"):
    lines = {
        "dense": [kept_by(DenseBlock(plain_layer(64 + growth * i, growth) for i in range(n))) for n in depths],
        "dense, forgetful": [
            kept_by(DenseBlock(forgetful_layer(64 + growth * i, growth) for i in range(n))) for n in depths
        ],
        "residual": [kept_by(nn.Sequential(*[Added(*norm_relu_conv(64, 64, 3)) for _ in range(n)])) for n in depths],
    }
by_hand = [2 * (n * 64 + growth * n * (n - 1) / 2) * 28 * 28 * 4 / 1e6 for n in depths]
bends = {name: [c - 2 * b + a for a, b, c in zip(line, line[1:], line[2:])] for name, line in lines.items()}

# %% slideshow={"slide_type": "slide"}
plots.growth(
    lines, depths, ("layers in the block", "million bytes kept for an image"), "Memory by the depth of a block"
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: why is the forgetful one a straight line? It keeps each map once, however many read it. Usual
# wrong answer: because it keeps nothing. -->

# %% [markdown]
# But the block's parameters grow by the square of its depth, too: $9k \sum (c + ik)$. What, then, does *one weight*
# cost in memory? The sums cancel: a layer that makes $m$ maps from its inputs keeps $2 \cdot H W / (9 m)$ numbers for
# each of its weights, however many maps it reads. A layer of few maps has few weights for what it must keep. So two
# things make memory dear: narrow layers, and that each keeps copies of its own of the whole stack. The second can be
# helped: the forgetful line has the same growth.

# %%
with torch.device("meta"):
    per_weight = {}
    for name, net in {
        "dense, 20 layers": DenseBlock(plain_layer(64 + growth * i, growth) for i in range(20)),
        "residual, 20 layers": nn.Sequential(*[Added(*norm_relu_conv(64, 64, 3)) for _ in range(20)]),
    }.items():
        weights = sum(p.numel() for p in net.parameters() if p.ndim == 4)
        per_weight[name] = kept_by(net) * 1e6 / 4 / weights
        print(f"{name}: {weights:9,} weights, {per_weight[name]:.2f} numbers kept for each")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "DenseNet-121 keeps half as much again as ResNet-50, with less than a third of its parameters.",
    1.4 < kept["DenseNet-121"] / kept["ResNet-50"] < 1.6
    and totals["DenseNet-121"].parameters < totals["ResNet-50"].parameters / 3,
)
claim(
    "The dense block's line is the formula's, to a hundredth; it bends. The other two are straight.",
    all(abs(a / b - 1) < 0.01 for a, b in zip(lines["dense"], by_hand))
    and min(bends["dense"]) > 1
    and max(abs(bend) for name in ("dense, forgetful", "residual") for bend in bends[name]) < 0.01,
)
claim(
    "For each weight the dense block keeps twice as much as the residual row: 64 maps against 32.",
    round(per_weight["dense, 20 layers"] / per_weight["residual, 20 layers"], 1) == 2.0,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. The third claim is the surprise. Ask: the forgetful block is as narrow; why does it keep so little?
# It keeps no copies of the stack. Usual wrong answer: narrow layers alone are to blame. -->

# %% [markdown]
# ### Forget, and compute again
#
# `Forgetful` above drops the two copies of the stack as soon as it is through, and makes them again on the way back
# [5]. Torch calls this *checkpointing*. It must not change what is learnt. Does it?

# %%
torch.manual_seed(0)
remembers = DenseBlock(plain_layer(16 + 8 * i, 8) for i in range(6))
forgets = DenseBlock(Forgetful(*copy.deepcopy(layer)) for layer in remembers)
for either in (remembers, forgets):
    either(x).square().mean().backward()
gradients = [torch.cat([p.grad.flatten() for p in either.parameters()]) for either in (remembers, forgets)]
norms = [either[0][0] for either in (remembers, forgets)]
print("batches that the first norm has counted:", [int(norm.num_batches_tracked) for norm in norms])
careful = checkpointed(densenets.build(densenets.ARMS["dense"]))
F.cross_entropy(careful(torch.randn(4, 1, 28, 28)), torch.arange(4)).backward()
counted = [int(norm.num_batches_tracked) for norm in careful.modules() if isinstance(norm, nn.BatchNorm2d)]

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("Forgetting changes no gradient.", torch.allclose(*gradients, atol=1e-6))
claim(
    "But our batch norm has seen the batch twice: its averages differ.",
    int(norms[1].num_batches_tracked) == 2 and not torch.allclose(norms[0].running_mean, norms[1].running_mean),
)
claim("The library's `checkpointed` counts each batch once.", set(counted) == {1})

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: who would have noticed? Losses and gradients are right; only the averages for evaluation run
# ahead. Usual wrong answer: then nothing is wrong. -->

# %% [markdown]
# The second forward pass updates the norm's running averages a second time (chapter 03). Here that means a momentum
# of 0.19 in place of 0.1; no error says so. The library switches the averages off for the second pass.
#
# What does it cost? In multiply-adds it can be counted: all that is computed again are the 1×1 convolutions. In
# seconds it must be measured.

# %%
rows = summary(densenet121(), (3, 224, 224), depth=4)
again = sum(row.macs for row in rows if row.name.endswith(".first")) / rows[-1].macs
left = kept["DenseNet-121, checkpointed"] / kept["DenseNet-121"]
print(f"computed twice: {again:.0%} of the forward pass's multiply-adds; kept: {left:.0%} of the bytes")


# %% tags=["nbval-ignore-output"]
def seconds(net, images):
    start = time.process_time()  # seconds of the processor, whoever else is busy
    net(images).square().mean().backward()
    return time.process_time() - start


images = torch.randn(4, 3, 64, 64)
pair, ratios = (densenet121(), checkpointed(densenet121())), []
for _ in range(8):
    took = [seconds(net, images) for net in pair]
    ratios.append(took[1] / took[0])
longer = median(ratios[1:])  # the first pair warms up
print(f"with checkpoints a step takes {longer:.2f} times as long (median of seven pairs)")

# %% tags=["claim"]
claim("DenseNet-121 keeps less than half with checkpoints: 48 %.", round(left, 2) == 0.48)
claim("For that it computes 41 % of its forward pass twice.", round(again, 2) == 0.41)
claim("A step takes longer: by more than a tenth, by less than three quarters.", 1.1 < longer < 1.75)

# %%
del pair, library, loaded

# %% [markdown]
# ## What do the connections buy?
#
# Now take them away and see. A small DenseNet learns 2,000 clothes in two passes: two blocks of six plain layers,
# $k=8$. In a block maps go two ways: from layer to layer, and from each layer to the end, where the stack is handed
# on. (The formula did not count the ways to the end.) Each way can be cut by itself. Whoever is cut off sees the
# *last* eight maps only, repeated until they fill the stack. (The first layer of a block reads what came in, as ever.)
# So the weights, their start and the multiply-adds stay the same; what is read differs.
#
# | | the block hands on all | the block hands on the last |
# |---|---|---|
# | layers read all | dense | inside |
# | layers read the last | ends | chain |

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "The chain: same weights, same work, but everyone sees the last eight maps only. What happens on unseen clothes?",
    {
        "nothing: the same parameters": "They are as many. What can a layer know that did not pass through eight maps?",
        "it loses a few points": "Which way is missed: between the layers, or to the end?",
        "it loses more than ten": "Does one way make up for the other, or are both needed?",
        "it learns nothing": "Twelve layers of eight maps, with batch norm. What would stop it from learning?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw the four wirings. Collect numbers. Usual wrong answer: it learns nothing, "since the gradient
# vanishes"; that is measured below. -->

# %% tags=["nbval-ignore-output"]
size, seed = densenets.LIVE, first_seed()
train_set, test_set = (images.to(device) for images in size.load())
normalize = Normalize(train_set)
torch.manual_seed(seed)
conv = nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False)
nn.init.kaiming_normal_(conv.weight)
model = densenet([conv], 16, plain_layer, (6, 6), 8, 10)
batches = Batches(train_set, size.recipe.batch_size, [normalize], Generator(device).manual_seed(seed))
history = []
for epoch in progress(train(model.to(device), batches, size.recipe)):
    history.append(epoch)
print(size.recipe, f"{sum(p.numel() for p in model.parameters()):,} parameters", sep="\n")

# %% [markdown]
# Now three seeds of it, and of the chain. We keep the nets, to look into them afterwards. Each wiring trains at the
# rate that did best of three, 0.03, 0.1 and 0.3, on clothes set apart: dense 0.3, the chain 0.03. The one is the
# highest of the three, the other the lowest: rates between and beyond were not tried, and what they are worth we do
# not know.


# %% tags=["nbval-ignore-output"]
finished, nets, seeds = [], {}, range(seed, seed + size.seeds)


def three(arm):
    for number in progress(seeds):
        nets[arm, number], record = densenets.trained(arm, number, size, device)
        finished.append(record)


three("dense")

# %% tags=["nbval-ignore-output"]
three("chain")
runs = records.by_arm(finished)
same_loss = abs(history[0].train.loss - runs["dense"][0].epochs[0]["loss"]) < 1e-3

# %% [markdown]
# The other two were recorded with the course, and two nets that stack nothing: as deep, with about as many
# parameters, with and without a shortcut that adds. Ten seeds of each.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
wirings = {
    "dense": "dense",
    "inside": "inside: the end sees the last",
    "ends": "ends: layers see the last",
    "chain": "chain: all see the last",
    "residual": "residual, as many parameters",
    "plain": "plain, as many parameters",
}
plots.ladder(runs, recorded, wirings, 0.4, "Clothes named rightly, by wiring")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask first which pairs may be compared: the upper four have equal weights; the lower two only about
# as many. Usual wrong answer: the best bar shows the best idea. -->

# %% tags=["claim"]
claim("Your network and the library's begin alike: the same loss after one pass.", same_loss)
claim(
    "Every dense run leaves chance: more than two in three unseen clothes right.",
    all(run.accuracy > 2 / 3 for run in runs["dense"]),
)
claim(
    "On the mean of three seeds dense is ahead of the chain by five points at least.",
    mean_accuracy(runs["dense"]) > mean_accuracy(runs["chain"]) + 0.05,
)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Recorded: cut the two ways, and ten points at least are lost.",
    beats(recorded["dense"], recorded["chain"], by=0.1),
)
claim(
    "Cut one of the two, whichever, and it is less than three on the mean.",
    all(mean_accuracy(recorded["dense"]) - mean_accuracy(recorded[arm]) < 0.03 for arm in ("inside", "ends")),
)
claim(
    "Adding does as well as stacking: the residual net is within a point of the dense one.",
    abs(mean_accuracy(recorded["dense"]) - mean_accuracy(recorded["residual"])) < 0.01,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the two ways is needed, then? Either will do. Usual wrong answer: "each connection
# helps a little". -->

# %% [markdown]
# Ten recorded runs name 72.5 %<!-- densenets: dense, mean --> of the clothes when everything is connected, 70.9 %<!--
# densenets: inside, mean --> and 70.8 %<!-- densenets: ends, mean --> when one way is cut, and 53.6 %<!-- densenets:
# chain, mean --> when both are. So it is not that each connection adds a little. Each of the two ways does most of the
# other's work. It is enough that one of them leads round the eight maps. And the way need not be a stack: the residual
# net adds, and does as well. (It does 18 % more multiply-adds; a table below says.)
#
# Not all of the chain's loss is the connections'. Its weights are as many, but most of them read copies of the same
# eight maps. The plain net has neither stack nor sum, but twenty maps everywhere, and names 67.8 %<!-- densenets:
# plain, mean -->. (A plain net of eight maps, which would tell narrowness from copies, we have not trained.) So at
# equal depth and about equal parameters dense connections bring 4.6 points<!-- densenets: dense, mean minus plain,
# mean --> in the mean of ten seeds, and adding 4.1 points<!-- densenets: residual, mean minus plain, mean -->. More
# than a quarter of either is one plain run, of 56.1 %<!-- densenets: plain, min -->.

# %% tags=["claim"]
claim(
    "With neither stack nor sum, but twenty maps everywhere, the plain net is ten points ahead of the chain.",
    beats(recorded["plain"], recorded["chain"], by=0.1),
)
claim("Dense is ahead of the plain net: by two points at least.", beats(recorded["dense"], recorded["plain"], by=0.02))

# %% [markdown]
# The chain's runs lie anywhere between 41.5 %<!-- densenets: chain, min --> and 64.8 %<!-- densenets: chain, max -->.
# Is it only slow? Three seeds of it, and of the dense net, were recorded with eight passes in place of two.

# %%
longer_runs = records.read_all(densenets.LONG.name)
for arm, of_arm in longer_runs.items():
    passes = [sum(run.epochs[k]["accuracy"] for run in of_arm) / len(of_arm) for k in range(8)]
    print(f"{arm:6}", " ".join(f"{share:.0%}" for share in passes), "of the training images, pass by pass")

# %% tags=["claim"]
claim(
    "After eight passes the chain is less than ten points behind on unseen clothes.",
    mean_accuracy(longer_runs["dense"]) - mean_accuracy(longer_runs["chain"]) < 0.1,
)
claim("It is still two behind, at least.", beats(longer_runs["dense"], longer_runs["chain"], by=0.02))

# %% [markdown]
# So the gap shrinks with time: 82.2 %<!-- densenets-long: dense, mean --> against 76.9 %<!-- densenets-long: chain,
# mean -->. In the rows above the chain is one pass behind at first and three at the end: the points shrink, the lag
# grows. (The rates were chosen for two passes, and kept.) Whether the rest of the gap would go with still more, we
# have not measured.
#
# ## Who reads what?
#
# The paper shows a map: for each layer, how large its weights are on the maps of each earlier one. It finds that all
# are used, early ones too; but also that the second and third block give least weight to what came into them, and the
# last matrix most to late maps ([1], figure 5). Here is that map for your net. Each weight is multiplied by the
# factor that batch norm puts on its map, for together they say how much gets through; and each column is divided by
# its mean, since a layer that reads more maps starts with smaller weights.


# %%
def strengths(block):
    """Mean size of the weights, source by source (rows) and reader by reader (columns); NaN where none reads."""
    sizes = [block[0].first[0].num_features] + [layer.first[2].out_channels for layer in block]
    table = torch.full((len(block), len(block)), torch.nan)
    for reader, layer in enumerate(block):
        norm, _, conv = layer.first
        through = (conv.weight * norm.weight[:, None, None]).abs().mean((0, 2, 3)).detach()
        parts = torch.stack([part.mean() for part in through.split(sizes[: reader + 1])])
        table[: reader + 1, reader] = parts / parts.mean()
    return table


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
torch.manual_seed(seed)
blocks = {"untrained": densenets.build(densenets.ARMS["dense"]).features.dense_block1}
blocks["trained"] = nets["dense", seed].features.dense_block1
tables = {name: strengths(block) for name, block in blocks.items()}
ends = ("maps of layer (0: what came in)", "read by layer")
shown = {name: 100 * table for name, table in tables.items()}
plots.reuse(shown, 100, ends, "Size of the weights on earlier maps, first block; each column's mean is 100")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Show the left one first and ask: is everything used? It is untrained. Usual wrong answer: "all
# layers are used, so features are reused". -->

# %% [markdown]
# The left map, too, shows that "all are used", and that net has not learnt anything. A weight that nobody needed
# stays as large as it was drawn. So what is *used*? Hide a parcel from one reader, and see what is lost. To hide
# means: each of its maps becomes the mean over all images. What all clothes have in common stays, what tells them
# apart is gone.


# %%
def faded(maps):
    return maps.mean(0, keepdim=True).expand_as(maps)


def hide(block, source, reader, sizes):
    """Hide a parcel from one layer, or, for the last reader, from what comes behind the block; returns the hook."""

    def from_layer(layer, inputs):
        return ([faded(maps) if place == source else maps for place, maps in enumerate(inputs[0])],)

    def from_the_end(block, inputs, output):
        return torch.cat([faded(m) if n == source else m for n, m in enumerate(output.split(sizes, 1))], dim=1)

    if reader < len(block):
        return block[reader].register_forward_pre_hook(from_layer)
    return block.register_forward_hook(from_the_end)


# %%
@torch.no_grad()
def losses_without(net, name, images, labels):
    """By how much the loss grows when a source (row) is hidden from a reader (column; the last is the end)."""
    place = [part for part, _ in net.features.named_children()].index(name)
    before, block, behind = net.features[:place], net.features[place], net.features[place:]
    x = before(images)
    whole = F.cross_entropy(net.classifier(behind(x)), labels)
    sizes = [block[0].first[0].num_features] + [layer.first[2].out_channels for layer in block]
    table = torch.full((len(sizes), len(sizes)), torch.nan)
    for source, reader in torch.triu_indices(len(sizes), len(sizes)).T.tolist():
        hook = hide(block, source, reader, sizes)
        table[source, reader] = F.cross_entropy(net.classifier(behind(x)), labels) - whole
        hook.remove()
    return table


# %% tags=["nbval-ignore-output"]
some, labels = normalize(test_set.pixels[:200]), test_set.labels[:200]
block_names = {"block 1": "dense_block1", "block 2": "dense_block2"}
lost = {}
for number in seeds:
    net = nets["dense", number].eval()
    lost[number] = {name: losses_without(net, part, some, labels).cpu() for name, part in block_names.items()}
came_in = {"block 1": 16, "block 2": 32}  # maps of parcel 0; all others have 8
means = {name: sum(lost[number][name] for number in seeds) / 3 for name in block_names}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
shown = {name: 100 * table for name, table in means.items()}
ends = (ends[0], "hidden from layer (7: the end)")
plots.reuse(shown, 0, ends, "What the loss grows by, in hundredths, mean of 3 nets")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: which column is darkest, and which row? Usual wrong answer: the last row, "late features
# decide". -->


# %%
def ranks(values):
    return values.argsort().argsort().double()


# %% tags=["nbval-ignore-output"]
agreement, every = [], [tables["untrained"]]
for number in seeds:
    for name, part in block_names.items():
        weights = strengths(getattr(nets["dense", number].features, part)).cpu()
        every.append(weights)
        for_a_map = lost[number][name][:-1, :-1] / torch.tensor([came_in[name]] + [8] * 5)[:, None]
        columns = [(weights[: r + 1, r], for_a_map[: r + 1, r]) for r in range(1, 6)]  # of all readers but the first
        pair = [torch.cat([ranks(column) / (len(column) - 1) for column in side]) for side in zip(*columns)]
        agreement.append(float(torch.corrcoef(torch.stack(pair))[0, 1]))
print("agreement of ranks within each reader, net by net:", " ".join(f"{value:.2f}" for value in agreement))


# %%
def shuffled():  # how two orders agree that are drawn at random, for the same five readers
    drawn = [torch.cat([torch.randperm(n) / (n - 1) for n in range(2, 7)]) for _ in range(2)]
    return float(torch.corrcoef(torch.stack(drawn))[0, 1])


torch.manual_seed(0)
by_dice = sorted(shuffled() for _ in range(1000))[950]
print(f"two orders drawn at random reach {by_dice:.2f} once in twenty times")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Untrained or trained, no parcel's weights are more than a third off their column's mean.",
    all(2 / 3 < float(part) < 4 / 3 for table in every for part in table[~table.isnan()]),
)
claim(
    "Layers 2 and 3 of the first block miss what came in more than later parcels, map for map.",
    float(means["block 1"][0, 1:3].sum()) / 32 > float(means["block 1"][1:, 1:3].nansum()) / 24,
)
claim(
    "At the end of each block what came in is still missed: the loss grows.",
    all(float(table[0, -1]) > 0 for table in means.values()),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what would you have to show to say "reused"? That something is lost without it. Usual wrong
# answer: large weights. -->

# %% [markdown]
# Two maps of one net. Do they rank the parcels alike, for the same reader? In some nets and blocks they agree in part,
# in others no more than dice do once in twenty times; the lines above have all six numbers, where 1 would be the same
# order. (Parcel 0 is larger: 16 maps in block 1, 32 in block 2, the others 8; so we compare map for map.) The map of
# the weights is nearly flat, before the first step and after 126. The map of the losses is not. In block 1 the first
# layers live on what came in; in block 2 that is so of the parcel as a whole, but not map for map. The later layers
# would hardly miss any single parcel, and the end misses most of them: what came in, too, six layers later. That is
# reuse, and it was measured by taking away.
#
# Now compare with the picture of the wirings. The nets called *inside* never showed their early parcels to the end,
# and know nearly as many clothes. Take a connection away from a trained net, and the net misses it. A net that never
# had it may have found another way. Both are measurements of use; they answer different questions.
#
# (The paper's nets learnt for 300 passes, with weight decay, which shrinks what nobody needs; ours for two, without.
# So this says nothing against their map. It says that such a map must be shown beside an untrained one.)
#
# ## Does the gradient get through?
#
# It is said that dense connections bring the gradient straight to the early layers. Before the first step, on nets as
# deep as ours and four times as deep: how strongly does the loss pull at each convolution?

# %% tags=["nbval-ignore-output"]
pulls, few = {}, normalize(train_set.pixels[:32])
for arm in ("dense", "residual", "chain", "plain"):
    for number, layers in [(number, layers) for number in seeds for layers in (6, 24)]:
        torch.manual_seed(number)
        deep = densenets.build(replace(densenets.ARMS[arm], blocks=(layers, layers))).to(device)
        pulls_of = gradient_norms(deep, few, train_set.labels[:32])
        pulls[arm, layers, number] = [norm for _, norm in pulls_of[:-1]]  # without the matrix
ratio = {key: pull[0] / pull[-1] for key, pull in pulls.items()}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
curves = {arm: pulls[arm, 24, seed][::7] for arm in ("dense", "residual", "chain", "plain")}
numbers = [f"{n}" for n in range(1, 51, 7)]  # every seventh
for arm in curves:
    print(f"{arm:9} first over last:", *(f"{ratio[arm, 24, number]:.1f}" for number in seeds))
plots.by_layer(curves, numbers, "pull on the weights (norm)", "The pull at 50 convolutions, before the first step")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Read from right to left: that is the way of the gradient. Ask: which line would you call vanishing?
# None. Usual wrong answer: plain and chain, "since the gradient vanishes with depth". -->

# %%
through = {arm: [ratio[arm, 24, number] for number in seeds] for arm in curves}

# %% tags=["claim"]
claim(
    "Dense: the first of 50 convolutions is pulled at within a factor of six of the last.",
    all(1 / 6 < value < 6 for value in through["dense"]),
)
claim("Plain: the first is pulled at over fifty times as strongly as the last.", min(through["plain"]) > 50)
claim(
    "Chain: over five times. Residual: less than thirty.", min(through["chain"]) > 5 and max(through["residual"]) < 30
)
claim(
    "In the chain that we trained, of 14 convolutions, first and last are within a factor of six.",
    all(1 / 6 < ratio["chain", 6, number] < 6 for number in seeds),
)

# %% [markdown]
# Nothing vanishes. Without shortcuts the pull *grows* on its way back, as in the plain nets of chapter 09. Dense
# connections keep it even; shortcuts that add let it grow a few times. And the chain that failed above did not fail
# for want of a gradient at the start: its first convolution is pulled at about as strongly as its last.
#
# ## Thin and deep, or wide and shallow?
#
# With equal parameters one can have many layers that add little, or few that add much. Ten seeds of each were
# recorded.

# %%
small = {}
for arm in ("k4", "dense", "k12", "k27", "residual", "plain"):
    chosen, net = densenets.ARMS[arm], densenets.build(densenets.ARMS[arm])
    small[arm] = summary(net, (1, 28, 28), depth=1)[-1]
    what = f"width {chosen.width}" if chosen.width else f"k = {chosen.growth:2}"
    print(f"{arm:9}{what:9} {sum(chosen.blocks):3} layers {small[arm].parameters:7,} parameters", end="")
    print(f" {small[arm].macs / 1e6:5.1f} million multiply-adds {small[arm].saved / 1e6:5.2f} million bytes kept")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
rates = {"k4": "k = 4, 23 layers", "dense": "k = 8, 12 layers", "k12": "k = 12, 8 layers", "k27": "k = 27, 4 layers"}
rates |= {"residual": "residual, 12 layers", "plain": "plain, 12 layers"}
scores = [mean_accuracy(recorded[arm]) for arm in ("k4", "dense", "k12", "k27")]
plots.ladder({}, recorded, rates, 0.5, "Growth rates at about equal parameters")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which would you take on a machine with little memory? The table says what each keeps. Usual
# wrong answer: the smallest growth rate, as it is "efficient". -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Recorded: k = 4, 8, 12 and 27 lie within two points of each other.",
    max(scores) - min(scores) < 0.02,
)
claim(
    "The thinnest is not the best: k = 27 is ahead of k = 4, and keeps less than a third for an image.",
    beats(recorded["k27"], recorded["k4"], by=0) and small["k27"].saved < small["k4"].saved / 3,
)
claim(
    "The residual net keeps less than half of what the dense one with k = 8 keeps.",
    small["residual"].saved < small["dense"].saved / 2,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what is the same in all four? Parameters and work, nearly. What is not? The memory. Usual wrong
# answer: a smaller growth rate is more efficient in everything. -->

# %% [markdown]
# We had expected the thin and deep one to win, for that is what *growth rate* seems to say: a few maps a layer will
# do. In these nets they do; but four wide layers do at least as well, 72.7 %<!-- densenets: k27, mean --> against
# 71.0 %<!-- densenets: k4, mean -->, at less than a third of the memory. Whether that is so in large nets our small
# ones cannot say.
#
# The paper's comparison is of another size: DenseNet-201, with 20 million parameters, errs about as often on ImageNet
# as ResNet-101 with more than 40 million ([1], section 4.4). With torchvision's own weights the one names 76.9 %
# rightly, the other 77.4 % [6]. The paper compares the work as well ([1], section 4.4). What training must keep, it
# leaves out.
#
# ## And on photographs?
#
# The course's ladder (chapter 04) trains two nets with nearly the same number of parameters on the photographs of
# CIFAR-10, by one recipe, eight passes at a rate of 0.01: ResNet-20 of chapter 09, and *DenseNet-22*, the paper's
# smallest net with half the layers: three blocks of six plain ones, $k=12$. (The whole one would train for over an hour
# on two cores.) Each ran once, DenseNet-22 in mixed precision (products in numbers of 16 bits: chapter 12).

# %% jupyter={"source_hidden": true}
predict(
    "270,000 parameters each. How much work does DenseNet-22 take, against ResNet-20, and how much memory to train?",
    {
        "less of both: dense nets are thrifty": "Its weights are as many. What else costs?",
        "as much of both": "How often is each weight used, and what must be kept?",
        "as much work, more memory": "The stack must be kept. And each weight: how often is it used?",
        "more of both": "Where would it come from, at equal weights?",
    },
)

# %%
photographs = ladder.recorded("resnet20_cifar", "densenet22")
keeps = {arm: summary(ladder.NETS[arm](3, 10), (3, 32, 32), depth=1)[-1].saved / 1e6 for arm in photographs}
for arm, (one,) in photographs.items():
    price = f"{one.parameters:,} parameters, {one.macs / 1e6:.1f} million multiply-adds, {keeps[arm]:.1f} million bytes"
    print(f"{ladder.ARMS[arm]:18}{price} kept for an image, right in training {one.epochs[-1]['accuracy']:.0%}")
(adding,), (dense,) = photographs.values()

# %% tags=["nbval-ignore-output"]
plots.ladder({}, photographs, ladder.ARMS, 0.6, "Test accuracy on CIFAR-10, eight epochs")

# %% tags=["claim"]
claim(
    "Parameters alike to half a percent; 1.8 times the multiply-adds, and 3.9 times the bytes kept for an image.",
    abs(dense.parameters / adding.parameters - 1) < 0.005
    and round(dense.macs / adding.macs, 1) == 1.8
    and round(keeps["densenet22"] / keeps["resnet20_cifar"], 1) == 3.9,
)
claim(
    "Recorded: one run of each reads between 76 and 78 % of new photographs.",
    min(adding.accuracy, dense.accuracy) > 0.76 and max(adding.accuracy, dense.accuracy) < 0.78,
)

# %% [markdown]
# ResNet-20 reads 76.6 %<!-- ladder-full: resnet20_cifar, mean -->, DenseNet-22 77.3 %<!-- ladder-full-bfloat16:
# densenet22, mean -->. One run each, in different precision, cannot tell which is ahead: three runs of the ladder's
# VGG lie a point apart. What can be told is the price of these weights: nearly twice the work, and four times the
# memory. In its last pass DenseNet-22 named 81 in a hundred of the photographs that it trains on, ResNet-20 83, and
# both climbed in every pass: eight may be too few. On clothes chapter 12 lets each net choose its rate; there this
# DenseNet chose thirty times the ladder's, ResNet-20 three times, by one run each. The paper's rate is ten times ours,
# and its nets learn for 300 passes [1, section 4.2]. What stacking is worth when all have learned, this ladder does
# not say.
#
# ## Does it hold up?
#
# Five sentences that people say about DenseNet. Take a side before you read the answer.

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "A DenseNet of L layers has L(L+1)/2 connections.",
    [sum(counts) == 121 * 122 // 2, sum(six) == 6 * 7 // 2],
    because="a block of L dense layers has; DenseNet-121 has 535, not 7,381",
)
verdict(
    "DenseNets have few parameters, so they need little memory.",
    [needed("DenseNet-121", images) < needed("ResNet-50", images) for images in (1, 32)],
    because="to train on one image it needs less than ResNet-50, on 32 more: each takes half as much again",
)
verdict(
    "The bottleneck makes each layer smaller.",
    [by_layer[n][1] < by_layer[n][0] for n in reads],
    because="only where more than 232 maps come in",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each. Usual wrong answer: the second. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Large weights show which features are reused.",
    all(value > 0.9 for value in agreement),
    because="for one reader the two orders agree in part at best, and in some blocks no more than dice do",
)
verdict(
    "Without dense connections the gradient does not reach the first layers.",
    [max(through[arm]) < 0.1 for arm in ("plain", "chain")],
    because="with batch norm it grows on its way there; dense connections keep it even",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of the five would you have signed an hour ago? Usual wrong answer: the fourth, for the
# paper draws the map. -->

# %% [markdown]
# ## Interrogate the result
#
# The dense net knows more clothes than the chain. Which ones? And does the chain know a little of each, or some well
# and some not at all?

# %% tags=["nbval-ignore-output"]
asked, matrices = test_set[:1000], {}
for (arm, number), net in nets.items():
    with torch.no_grad():
        answers = net.eval()(normalize(asked.pixels)).argmax(1)
    matrices[arm, number] = confusion_matrix(asked.labels, answers, asked.classes)
rights = {key: matrix.diag() / matrix.sum(1) for key, matrix in matrices.items()}
unnamed = {arm: sum(int((rights[arm, number] < 0.1).sum()) for number in seeds) for arm in ("dense", "chain")}
shirts = sum(rights["dense", number] for number in seeds)
for (arm, number), shares in rights.items():
    print(arm, number, "hardly named:", *[name for name, share in zip(asked.classes, shares) if share < 0.1], sep="  ")

# %% tags=["nbval-ignore-output"]
plots.confusion(matrices["chain", seed], asked.classes, "The chain: which garment it takes for which")

# %% tags=["claim"]
claim("For the dense nets the shirt is the hardest.", asked.classes[int(shirts.argmin())] == "shirt")
claim(
    "The chains leave more kinds nearly unnamed, below one in ten, than the dense nets do.",
    unnamed["chain"] > unnamed["dense"],
)

# %% [markdown]
# A mean hides this. Read the picture by columns, too: a net that calls most clothes trousers names every trouser.
# Which kinds a chain leaves out, seed by seed, is printed above.

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### Count the connections
#
# 3 minutes, ●○○
#
# Write `connections`: `blocks` is a list, the number of dense layers in each dense block of a network. How many
# connections are there, from parcels to the layers that read them? (What comes behind a block is not counted.)


# %%
def connections(blocks): ...


# %%
check(connections)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_connections(blocks):
    return sum(layers * (layers + 1) // 2 for layers in blocks)


check(solution_connections, of="connections")

# %% [markdown]
# ### Maps at the end
#
# 5 minutes, ●○○
#
# Write `maps_at_the_end`: `maps` maps come into the first block, each dense layer adds `growth`, and each transition
# halves the maps (an odd number is rounded down). How many maps go into the classifier? For DenseNet-121 it is 1,024.


# %%
def maps_at_the_end(maps, blocks, growth): ...


# %%
check(maps_at_the_end)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_maps_at_the_end(maps, blocks, growth):
    for number, layers in enumerate(blocks):
        if number > 0:
            maps //= 2
        maps += layers * growth
    return maps


check(solution_maps_at_the_end, of="maps_at_the_end")

# %% [markdown]
# ### Count a dense layer
#
# 8 minutes, ●●○
#
# Write `dense_layer_parameters`: the parameters of one dense layer of DenseNet-121 and its kin, which reads `inputs`
# maps: norm, 1×1 convolution to four times `growth` maps, norm, 3×3 convolution to `growth` maps. A norm has two
# numbers a map; no convolution has biases.


# %%
def dense_layer_parameters(inputs, growth): ...


# %%
check(dense_layer_parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_dense_layer_parameters(inputs, growth):
    between = 4 * growth
    return 2 * inputs + inputs * between + 2 * between + 9 * between * growth


check(solution_dense_layer_parameters, of="dense_layer_parameters")

# %% [markdown]
# ### A dense block in five lines
#
# 8 minutes, ●●○
#
# Write `run_dense`: `layers` is a list of functions; each takes one tensor, N×C×H×W, and returns new maps. Run them
# as a dense block does, and return what the block puts out: its input, and then the maps of each layer in order.


# %%
def run_dense(layers, x): ...


# %%
check(run_dense)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_run_dense(layers, x):
    for layer in layers:
        x = torch.cat([x, layer(x)], dim=1)
    return x


check(solution_run_dense, of="run_dense")

# %% [markdown]
# ### What is kept
#
# 10 minutes, ●●○
#
# A dense block of `depth` plain layers reads `maps` maps of `side` × `side`; each layer adds `growth`. Write
# `numbers_kept`: how many numbers of one image do its layers keep for the way back? `forgetful` says whether they are
# computed again as in `Forgetful`; then each parcel that a layer reads is kept once. (Only maps count, not the few
# numbers of the norms. The last stack, which the next module reads, does not count either.)


# %%
def numbers_kept(maps, depth, growth, side, forgetful): ...


# %%
check(numbers_kept)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_numbers_kept(maps, depth, growth, side, forgetful):
    if forgetful:
        return (maps + (depth - 1) * growth) * side * side
    return 2 * sum(maps + i * growth for i in range(depth)) * side * side


check(solution_numbers_kept, of="numbers_kept")

# %% [markdown]
# ### A block of your own
#
# 20 minutes, ●●●
#
# Write `own_block`: it returns a module that takes `inputs` (32) maps of 14×14 and gives at least 96 maps of 14×14.
# All that came in must be among what comes out, unchanged, as its first maps. Some map must see 13 pixels across. It
# has at most 40,000 parameters, keeps at most 800,000 bytes of an image for the way back, and every weight gets a
# gradient. There are many answers. When you have one: which of the two limits binds, and what would loosen it?


# %%
def own_block(inputs): ...


# %%
check(own_block)


# %% tags=["solution"] jupyter={"source_hidden": true}
class Stacked(nn.ModuleList):
    def forward(self, x):
        for layer in self:
            x = torch.cat([x, layer(x)], dim=1)
        return x


def solution_own_block(inputs):
    layers = []
    for i in range(6):  # six 3×3 in a row see 13 pixels
        n = inputs + 12 * i
        layers.append(nn.Sequential(nn.BatchNorm2d(n), nn.ReLU(), nn.Conv2d(n, 12, 1), nn.Conv2d(12, 12, 3, padding=1)))
    return Stacked(layers)


check(solution_own_block, of="own_block")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - Stacked, what was found stays as it was. A way round counts; a sum is one too.
# - L(L+1)/2 connections a block.
# - Narrow layers keep much for each weight.
# - A weight's size is not its use. Hide and measure.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the five lines of a dense block from memory. -->

# %% [markdown]
# **Sources.** [1] G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, *Densely Connected Convolutional Networks*,
# August 2016 (CVPR 2017), arXiv:1608.06993. [2] K. He and others, *Deep Residual Learning for Image Recognition*,
# 2015, arXiv:1512.03385. [3] C. Szegedy and others, *Going Deeper with Convolutions*, 2014, arXiv:1409.4842. [4] G.
# Huang and others, *Deep Networks with Stochastic Depth*, 2016, arXiv:1603.09382. [5] G. Pleiss and others,
# *Memory-Efficient Implementation of DenseNets*, 2017, arXiv:1707.06990. [6] The table of pretrained weights in
# torchvision's documentation. H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017, arXiv:1708.07747.
#
# **Next**, chapter 11: EfficientNet, which asks how to make a network larger. **Before**, chapter 09: ResNet, which
# adds.
