# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Convolution
#
# A small grid of weights slides over an image and leaves another image behind. What does it compute? How large is the
# result, what does it cost, and what does it take for granted?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: who has sharpened a photo with a filter? That was a convolution. Usual answer to "what does it
# do?": "it finds features". Keep that: by the end they should say what is multiplied with what. -->

# %% [markdown]
# This chapter takes about an hour, and nearly another for its six exercises; its code runs in some twenty seconds. You
# need a little Python and what a tensor is (chapter 00). You will leave with a convolution written in three ways, once
# by yourself, with two laws that tell the size and the price of a convolution layer, and with a list of things that
# are said about convolutions and are not true.
#
# How to read it: **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked
# for a prediction, commit to one before you run on. The exercises stand together at the end.

# %%
import inspect
from itertools import pairwise, product

import numpy as np
import torch
from torch import Generator, nn
from torch.nn import functional as F

# %%
from cnnlib import models, plots
from cnnlib.claims import claim, verdict
from cnnlib.convolution import conv2d_by_loops, conv_matrix
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize
from cnnlib.datasets import digits, fashion
from cnnlib.training import Recipe, default_device, first_seed, train
from cnnlib.widgets import ConvolutionLab

device = default_device()
torch.set_num_threads(1)  # what is as small as this is quicker on one core than on several that must agree

# %% [markdown]
# ## One window
#
# To a computer an image is a grid of numbers. Here 0 is the empty background and 1 is ink. Cut a window of 3×3 pixels
# out of it. A second grid of the same size, the *kernel*, holds nine *weights*. Multiply each pixel by the weight
# that lies over it, and add up the nine products.

# %% slideshow={"slide_type": "slide"}
train_set, test_set = digits()
four = test_set.pixels[28, 0] / 255
kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
plots.window(four, kernel, 9, 6, "One window of a digit, times a kernel: one number")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Red is above zero, blue below. Ask: for which window is this sum largest, for which is it negative,
# for which zero? Usual wrong answer: zero only where there is no ink. It is zero wherever left and right are alike.
# -->

# %% [markdown]
# That is all that happens at one place. (In these pictures the palest grey is 0, red is above 0, blue below; what is
# not yet computed is white.) This kernel subtracts the left column of the window from the right one. The sum is large
# where there is ink on the right and none on the left, negative the other way round, and 0 where left and right are
# alike, be it ink or background. So a kernel is a question about a window, and the sum is the answer.
#
# ## The whole map
#
# Now ask the same question everywhere. Move the window by one pixel, write down the sum, move on. The answers, each at
# its place, form a new image: the *map*.


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def by_loops(image, kernel):
    height, width = kernel.shape
    rows = image.shape[0] - height + 1
    columns = image.shape[1] - width + 1
    result = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = image[i : i + height, j : j + width]
            result[i, j] = (window * kernel).sum()
    return result


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: the image has 28 rows; how many has the map? Usual wrong answer: 28. A window of three has 26
# places in a row of 28. -->

# %%
whole = by_loops(four, kernel)
number = torch.arange(whole.numel()).view_as(whole)
grown = [torch.where(number < 26 * rows, whole, torch.nan) for rows in (8, 16, 26)]
captions = ["the image, 28×28", "the map after 8 rows", "after 16 rows", "all 26 rows"]
says = "Each vertical stroke has a red left side and a blue right side; the horizontal stroke of the four is missing."
plots.maps([four, *grown], captions, "The map grows, window by window", finding=says)

# %% [markdown]
# Each vertical stroke of the four has two sides, a red one, where ink begins, and a blue one, where it ends. The
# horizontal stroke is gone: this kernel does not ask about it.
#
# ## The same, as a matrix
#
# Every number of the map is a weighted sum of pixels. A *fully connected* (or *linear*) layer computes weighted sums
# too, with a weight of its own for every pair of input and output; its weights form a matrix, one row an output. So a
# convolution must *be* a linear layer. Which one? For each place of the window take an empty sheet as large as the
# image, lay the kernel on it at that place, and unroll the sheet into a row.


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def as_matrix(kernel, height, width):
    h, w = kernel.shape
    sheets = []
    for i in range(height - h + 1):
        for j in range(width - w + 1):
            sheet = torch.zeros(height, width)
            sheet[i : i + h, j : j + w] = kernel
            sheets.append(sheet.flatten())
    return torch.stack(sheets)


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how many rows and columns does it have for a 6×6 image and a 3×3 kernel? 16 places, 36 pixels.
# Usual wrong answer: 9 columns, one a weight. -->

# %%
nine = torch.tensor([[-4.0, -3, -2], [-1, 1, 2], [3, 4, 5]])
sparse = as_matrix(nine, 6, 6)
dense = nn.init.uniform_(torch.empty(16, 36), -5, 5, generator=Generator().manual_seed(0))
for name, matrix in [("fully connected", dense), ("convolution", sparse)]:
    weights = matrix[matrix != 0]
    print(f"{name:>15}: {matrix.numel()} entries, {len(weights)} not zero, {len(weights.unique())} different weights")
print(f"for 28×28 images: {as_matrix(nine, 28, 28).numel():,} entries, and still 9 different weights")

# %% slideshow={"slide_type": "slide"}
captions = ["fully connected: 16×36 weights, all free", "convolution: 9 weights, 16 times, and zeros"]
says = "Left every entry is a weight; right three bands of three weights shift along, and the rest is zero."
title = "Two linear layers from 36 pixels to 16 numbers, as matrices"
plots.maps([dense, sparse], captions, title, columns=2, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. One row is one place of the window. Ask: why are there gaps inside a row? The kernel has three rows,
# and the image is six wide. Usual wrong answer: they are weights that happen to be zero. They are not there: nobody
# learns them. And: why not use the full layer? For 28×28 it learns 529,984 weights for what nine can do. -->

# %% [markdown]
# The convolution is a fully connected layer from which two liberties were taken. Most weights are zero: an output sees
# only its window. And the others are shared: all windows use the same nine. The sliding window, the matrix and the
# library's `F.conv2d` should give the same map. (`F.conv2d` wants four axes, images × channels × rows × columns, hence
# the `[None, None]`; channels come below. The layer `nn.Conv2d` keeps the weights and calls it.) A library does not
# build this matrix, which is mostly zeros. One way to be fast is to copy all windows into columns (`F.unfold`) and
# multiply once.

# %%
library = F.conv2d(four[None, None], kernel[None, None])[0, 0]
by_matrix = (as_matrix(kernel, 28, 28) @ four.flatten()).view(26, 26)
by_columns = (kernel.flatten() @ F.unfold(four[None, None], 3)[0]).view(26, 26)


def apart(a, b):
    """The largest difference of two tensors of one shape."""
    return (a - b).abs().max().item()


# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("Our loops give the library's map.", apart(by_loops(four, kernel), library) < 1e-5)
claim("So does the matrix: a convolution is a linear layer.", apart(by_matrix, library) < 1e-5)
claim("So do windows as columns, and one product.", apart(by_columns, library) < 1e-5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: is a difference of 0.00001 rounding, or a small bug? How would you find out? The chapter
# answers under "Interrogate the result". Usual wrong answer: so small, it must be rounding. -->

# %% [markdown]
# ## Is it a convolution?
#
# The word is older than the layer. When mathematicians convolve an image with a kernel, every pixel *stamps* the
# kernel onto the result, scaled by its brightness, and stamps that overlap add up. A single bright pixel leaves one
# copy of the kernel. What does our layer leave?

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "The image is empty but for one pixel. The kernel is an L. What does nn.Conv2d leave?",
    {
        "one dot": "How many windows contain the pixel? What does each of them answer?",
        "the L as it is": "The window comes from the upper left. Which of its weights meets the pixel first?",
        "the L in a mirror, left and right swapped": "Which row meets the pixel first, the upper or the lower?",
        "the L turned by half a turn": "Which weight is then written down first, and which last?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Let them draw it on paper: a 5×5 image, a 3×3 kernel, nine windows. Usual wrong answer: the L as it
# is. -->

# %% slideshow={"slide_type": "slide"}
dot = torch.zeros(5, 5)
dot[2, 2] = 1
letter = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 2, 3]])
answer = by_loops(dot, letter)
print("kernel     the layer's answer")
for weights, sums in zip(letter.int(), answer.int()):
    print(*weights.tolist(), "     ", *sums.tolist())

# %% [markdown]
# The first window that reaches the pixel has it at its lower right, so the *last* weight is written down *first*. The
# layer reads with the kernel; it does not stamp. What it computes is called *cross-correlation*. The convolution of
# mathematics is the stamping, and to get one from the other the kernel must be flipped in both directions. The layer
# took over the name and left out the flip.


# %%
def by_stamps(image, kernel):
    """What mathematicians call a convolution."""
    (height, width), (h, w) = image.shape, kernel.shape
    result = torch.zeros(height + h - 1, width + w - 1)
    for i in range(height):
        for j in range(width):
            result[i : i + h, j : j + w] += image[i, j] * kernel
    return result


row, weights = torch.tensor([[1.0, 2, 0, 4]]), torch.tensor([[1.0, 10, 100]])
stamped = by_stamps(four, letter)
straight = F.conv2d(four[None, None], letter[None, None], padding=2)[0, 0]
flipped = F.conv2d(four[None, None], letter.flip(0, 1)[None, None], padding=2)[0, 0]
turned = by_loops(four, kernel.flip(0, 1))

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "Stamping is the convolution of mathematics: on a row of numbers it gives what numpy.convolve gives.",
    np.allclose(by_stamps(row, weights)[0], np.convolve(row[0], weights[0])),
)
claim("nn.Conv2d computes something else.", apart(straight, stamped) > 1)
claim("With the kernel flipped both ways it computes the same.", apart(flipped, stamped) < 1e-5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: does it matter to a network? Usual wrong answer: yes, it learns the wrong thing. It learns the
# flipped kernel, just as readily. It matters to whoever types a kernel in, or copies one from a library that flips.
# -->

# %% [markdown]
# (`padding=2` puts two rings of zeros around the image, as the stamps reach beyond its border.) A network that learns
# its weights does not mind: it learns the kernel the other way round. Whoever types a kernel by hand should:

# %% tags=["claim"]
claim("Flip the kernel that takes left from right, and every answer changes its sign.", apart(turned, -whole) < 1e-5)

# %% [markdown]
# ## How large is the map?
#
# Three settings change where the window goes. The *stride* $S$ is how far it moves from place to place. *Padding* $P$
# puts that many rings around the image first, of zeros as a rule. *Dilation* $D$ pulls the weights apart, so that
# they lie $D$ pixels from each other.

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "An image 224 pixels wide, a kernel of 11, stride 4, no padding. How wide is the map?",
    {
        "53": "Count the places of a window that fits exactly once.",
        "54": "What becomes of the pixels that are left over at the right?",
        "54.25": "What would a quarter of a place be?",
        "55": "That is what the drawing in the AlexNet paper says. Write down where the last window would end.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. These are the numbers of AlexNet's first layer, chapter 05. Usual wrong answer: 55, because they
# have seen it. -->

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The law of sizes
#
# The first window begins at 0, the next ones $S$ further on each. The last must end inside the padded image. Count
# the steps, and add the first place:
#
# $$\left\lfloor\frac{W - F + 2P}{S}\right\rfloor + 1$$

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Read it aloud: W pixels and P more on both sides, less the F that the first window covers, in steps
# of S, rounded down. Usual wrong answers: the + 1 forgotten; the padding counted once. With dilation D write D(F - 1)
# + 1 for F. -->

# %% [markdown]
# $W$ is the width of the image, $F$ that of the kernel, and $\lfloor\ \rfloor$ rounds down: a window that does not
# fit has no place. A kernel with dilation spans $D(F-1)+1$ pixels; that number then stands for $F$. Is it a law? Let
# us ask the library for every combination of small numbers, and for the three that the prediction is about.


# %%
def places(w, f, p, s, d=1):
    """How many the library finds."""
    return F.conv1d(torch.zeros(1, 1, w), torch.zeros(1, 1, f), padding=p, stride=s, dilation=d).shape[-1]


tried = wrong = 0
for w, f, p, s, d in product(range(1, 33), range(1, 8), range(4), range(1, 5), range(1, 4)):
    span = d * (f - 1) + 1
    if span <= w + 2 * p:  # else the library refuses: there is no place at all
        tried += 1
        wrong += places(w, f, p, s, d) != (w - span + 2 * p) // s + 1
print(f"{tried:,} combinations")
for w, f, p, s in [(224, 11, 0, 4), (227, 11, 0, 4), (224, 11, 2, 4)]:
    print(f"width {w}, kernel {f}, padding {p}, stride {s}: {places(w, f, p, s)} places")

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("The law holds for every combination tried.", wrong == 0)
claim(
    "224 pixels give 54; 227 pixels give 55, and so does a padding of 2.",
    [places(w, 11, p, 4) for w, p in [(224, 0), (227, 0), (224, 2)]] == [54, 55, 55],
)

# %% [markdown]
# 55 is what the AlexNet paper draws, for an image 224 wide and with no word about padding. The two do not go together;
# chapter 05 comes back to it. What happens to the pixels that are left over, and to those at the border? The matrix
# knows (`conv_matrix` is our `as_matrix`, with padding, stride and dilation): put ones for all weights, and the sum of
# a *column* says how many windows read that pixel.

# %% slideshow={"slide_type": "slide"}
ones = torch.ones(1, 1, 3, 3)
settings = {"stride 1": {}, "padding 1": {"padding": 1}, "stride 2": {"stride": 2}, "dilation 2": {"dilation": 2}}
reads = {name: conv_matrix(ones, (8, 8), **how).sum(0).view(8, 8) for name, how in settings.items()}
says = "A corner is read once, the middle nine times; with stride 2 the last row and column are never read."
title = "How many 3×3 windows read each of 8×8 pixels"
plots.maps(list(reads.values()), list(reads), title, numbers=True, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask first: how often is a corner read, how often the middle? Then the third picture: what are the
# zeros? With stride 2 the last window ends one pixel too early. Usual wrong answer: every pixel counts alike. -->

# %%
plain, padded, strided = reads["stride 1"], reads["padding 1"], reads["stride 2"]

# %% tags=["claim"]
claim("Without padding a corner is read once, the middle nine times.", plain[0, 0] == 1 and plain[4, 4] == 9)
claim("With padding 1 a corner is read four times.", padded[0, 0] == 4 and padded[4, 4] == 9)
claim(
    "With stride 2 nobody reads the last row and the last column.",
    strided[7].sum() == strided[:, 7].sum() == 0 and strided[:7, :7].min() == 1,
)

# %% [markdown]
# Now turn the knobs yourself. Below, the kernel stands between the picture and its map; drag the window, type other
# weights, or choose size, stride, padding and dilation, and look at the law under it. In a notebook that has not been
# run you see a picture of it: run the cell first.

# %% slideshow={"slide_type": "slide"}
ConvolutionLab(four, kernel)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Play it once. Ask: where is the horizontal stroke of the four? Usual wrong answer: the kernel
# overlooked it. It asks about left and right, and along that stroke they are alike. Then let the hall choose weights
# that find it, and guess the size before each change of stride or padding. -->

# %% [markdown]
# ## Channels
#
# A colour image has three numbers a pixel: three *channels*. The kernel then has three slices, one for each, and the
# window is a block of 3×3×3 numbers. All 27 products go into *one* sum. So one kernel makes one map, however many
# channels it reads. Below, three digits in red, white and blue ink, and a kernel that takes the mean of a window in
# red, ignores green, and subtracts the mean in blue.

# %% slideshow={"slide_type": "slide"}
red, white, blue = torch.eye(3)[0], torch.ones(3), torch.eye(3)[2]
inks = zip((10, 15, 32), (red, white, blue))
coloured = torch.cat([test_set.pixels[i] / 255 * ink[:, None, None] for i, ink in inks], dim=2)
slices = torch.stack([torch.ones(3, 3), torch.zeros(3, 3), -torch.ones(3, 3)]) / 9
parts = [by_loops(channel, weights) for channel, weights in zip(coloured, slices)]
together = F.conv2d(coloured[None], slices[None])[0, 0]
captions = ["the image", "red channel", "green", "blue", "their sum: the map", "red slice", "green slice", "blue slice"]
shown = [coloured, *coloured, together, *parts]
says = "In the map the red digit is red, the blue one is blue, and the white one has vanished."
plots.maps(shown, captions, "Three channels, a kernel with three slices, one map", finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: where has the middle digit gone? White ink is red and blue alike, and the sum cancels. And: 3
# channels in, 8 kernels, how many maps come out? Usual wrong answer: 24. Eight: the slices of a kernel are added up.
# -->

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("The slices' maps add up to the map.", apart(sum(parts), together) < 1e-5)
claim("The middle digit has vanished.", together[:, 28:54].abs().max() < 1e-5 < together.abs().max())

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The law of prices
#
# What a layer learns are its *parameters*. For eight maps take eight kernels. Each has a slice for every input
# channel, and one number more, the *bias*, added everywhere in its map:
#
# $$(k \cdot k \cdot C_{\text{in}} + 1) \cdot C_{\text{out}}$$

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what has the size of the image to do with it? Usual wrong answer: larger images need more
# weights. They need more multiplications. And 3 to 8 channels with 3×3: 224; without the bias 216; with the channels
# forgotten 80. -->

# %% [markdown]
# $k$ is the side of the kernel, $C_{\text{in}}$ counts the channels that come in, $C_{\text{out}}$ those that go out.
# `groups=g` cuts the channels into $g$ parts; a kernel then reads only one part, and has $C_{\text{in}} / g$ slices.
# With as many groups as channels every kernel reads a single channel (*depthwise*; chapter 11 lives on it). Let us
# count on paper and in the library, and then in five networks of this course.


# %%
def price(layer):
    """The law; the 1 is left out where a layer has no bias."""
    height, width = layer.kernel_size
    reads = height * width * layer.in_channels // layer.groups
    return (reads + (layer.bias is not None)) * layer.out_channels


def numbers(layer):
    return sum(weights.numel() for weights in layer.parameters())


grid = product((6, 12), (6, 12), (1, 3, 5), (1, 2, 3, 6))
one_by_one = [nn.Conv2d(c_in, c_out, k, groups=groups) for c_in, c_out, k, groups in grid]
with torch.device("meta"):  # shapes without numbers: VGG-16 alone would fill half a gigabyte
    networks = [build() for build in (models.lenet5, models.alexnet, models.vgg16, models.googlenet, models.resnet50)]
layers = [layer for net in networks for layer in net.modules() if isinstance(layer, nn.Conv2d)]
odd = [layer for layer in layers if price(layer) != numbers(layer)]
print(f"{len(layers)} convolution layers in five networks; the law miscounts {len(odd)}:")
print(f"LeNet-5's second one, {price(odd[0]):,} by the law and {numbers(odd[0]):,} in truth")

# %%
generator = Generator().manual_seed(0)
four_channels, kernels = torch.randn(1, 4, 9, 9, generator=generator), torch.randn(6, 2, 3, 3, generator=generator)
grouped = F.conv2d(four_channels, kernels, groups=2)
halves = [F.conv2d(four_channels[:, part], kernels[half]) for part, half in [([0, 1], [0, 1, 2]), ([2, 3], [3, 4, 5])]]

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("Two groups are two convolutions side by side.", apart(grouped, torch.cat(halves, dim=1)) < 1e-5)
claim(
    "The law counts all 48 layers tried, with groups and without.",
    {price(one) == numbers(one) for one in one_by_one} == {True} and len(one_by_one) == 48,
)
claim("In five networks it counts every layer but one.", len(odd) == 1)

# %% [markdown]
# The one that breaks the law is from 1998. In LeNet-5 the kernels of the second layer do not read all six maps, but
# three, four or six of them, by a table that its authors drew up. Chapter 04 builds it. The law assumes that every
# kernel reads every channel of its group.

# %% [markdown]
# ## All of it at once
#
# Here is the loop again, now for many images and many channels, with bias, stride, padding, dilation and groups. Read
# it slowly; there is no idea in it that you have not met. Its `places` is another function than ours above, which
# counts: this one lists, for each place along one side, the pixels under the kernel.

# %%
print(inspect.getsource(conv2d_by_loops))


# %% [markdown]
# The matrix has its general version, `conv_matrix`. If we have understood convolution, both agree with the library for
# *any* shapes. So draw two hundred at random. (Without a bias: it is added at the end, and is not in the matrix.)


# %%
def drawn(generator):
    """Random images and kernels, and settings under which they fit."""

    def number(low, high):
        return int(torch.randint(low, high + 1, (), generator=generator))

    how = {"stride": number(1, 3), "padding": number(0, 2), "dilation": number(1, 3), "groups": number(1, 3)}
    depth, kernel = number(1, 3), (number(1, 4), number(1, 4))
    sides = [how["dilation"] * (side - 1) + number(1, 6) for side in kernel]
    images = torch.randn(2, depth * how["groups"], *sides, generator=generator)
    return images, torch.randn(how["groups"] * number(1, 3), depth, *kernel, generator=generator), how


# %%
loops_off, matrix_off = [], []
for seed in range(200):
    images, kernels, how = drawn(Generator().manual_seed(seed))
    expected = F.conv2d(images, kernels, **how)
    loops_off.append(apart(conv2d_by_loops(images, kernels, **how), expected))
    matrix = conv_matrix(kernels, images.shape[2:], **how)
    matrix_off.append(apart((images.flatten(1) @ matrix.T).view_as(expected), expected))

# %% tags=["claim"]
claim("On 200 random shapes loops and library agree to 0.00001.", len(loops_off) == 200 and max(loops_off) < 1e-5)
claim("So do matrix and library: every convolution layer is a linear layer.", max(matrix_off) < 1e-5)

# %% [markdown]
# ## What is found here is found there
#
# All windows use the same weights. Then if the digit moves, the map should move along with it. This is called
# *equivariance*: first move and then convolve, or first convolve and then move, it comes to the same. (Below, `roll`
# moves an image. What leaves at the right comes in at the left; here that is empty background.)

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Stride 2. The digit moves one pixel to the right. What happens to the map?",
    {
        "it moves by one": "One step in the map is how many pixels in the image?",
        "it moves by half a pixel": "A map has whole places only. What stands in them?",
        "it stays as it is": "Is the window that begins at column 10 still asked about the same pixels of the digit?",
        "it becomes another map": "Another one, or the old one, moved in a way you have not tried? Say how to tell.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. First establish that with stride 1 the map moves along. Usual wrong answer: with stride 2 it does
# too. -->


# %%
def answers_to(image, **how):
    return F.conv2d(image[None, None], kernel[None, None], **how)[0, 0]


def left_over(image, by, step, **how):
    """Move the image by `by` pixels; what then differs from the old map, moved by `step`?"""
    return answers_to(image.roll(by, 1), **how) - answers_to(image, **how).roll(step, 1)


paper = 1 - four  # ink is 0 now, and the paper is 1
differences = {
    "no padding, moved by 4": left_over(four, 4, 4),
    "white paper, padding 1": left_over(paper, 4, 4, padding=1),
    "stride 2, moved by 2": left_over(four, 2, 1, stride=2),
    "stride 2, moved by 1": min((left_over(four, 1, step, stride=2) for step in range(13)), key=torch.norm),
}

# %% slideshow={"slide_type": "slide"}
shown = [four, answers_to(four), four.roll(4, 1), answers_to(four.roll(4, 1)), *differences.values()]
captions = ["the digit", "its map", "the digit, moved by 4", "its map", *differences]
title = "Above: the map moves with the digit. Below: what differs"
says = "Nothing differs without padding, nor with stride 2 and two pixels. With padding white paper shows stripes near "
says += "the border; with stride 2 and one pixel the outline of the digit remains."
plots.maps(shown, captions, title, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: what are the stripes in the second picture below? The padding is 0, the paper is 1: a frame
# that does not move with the image. In the fourth the best of all thirteen moves is shown. Usual wrong answer:
# rounding. -->

# %%
wide = F.pad(four, [6, 6])  # room at both sides, so that nothing comes in again at the other
moves = [(by, left_over(wide, by, by)) for by in range(-4, 5)]
frame, inner = differences["white paper, padding 1"], differences["white paper, padding 1"][:, 5:-5]

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("Stride 1, no padding: the map moves with the digit.", all(rest.abs().max() < 1e-5 for _, rest in moves))
claim("Padded white paper: not so along the border.", frame.abs().max() > 0.5 and inner.abs().max() < 1e-5)
claim("Stride 2: two pixels move the map by one.", differences["stride 2, moved by 2"].abs().max() < 1e-5)
claim(
    "One pixel makes it a map that no move to the side explains.", differences["stride 2, moved by 1"].abs().max() > 0.5
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: so is a convolution "translation invariant"? Invariant would mean that the map stays as it is.
# Usual wrong answer: yes, that is what the words mean. -->

# %% [markdown]
# So the idea is exact, and networks break it twice. With stride 2 every other place is left out, always the same ones;
# which parts of the digit are left out with them depends on where it stands. With padding, zeros are pixels too. They
# do no harm where the background is 0 anyway. But images are normalised before they enter a network (chapter 03), and
# then 0 is nobody's background. Take a wall that is grey all over, and a kernel that takes the mean of its window:

# %%
wall = torch.ones(1, 1, 6, 6)
blurred = F.conv2d(wall, ones / 9, padding=1)[0, 0]
for line in blurred:
    print(*(f"{value:.2f}" for value in line))

# %% [markdown]
# The wall has got a dark frame. From that frame the next layers can tell how far away the border is, so a network
# with padding can know where in the image something stands. That has been measured in large networks as well (Kayhan
# and van Gemert, 2020).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A kernel of one pixel
#
# From chapter 07 on you will meet 1×1 convolutions everywhere. Their window is a single pixel, with all its channels.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "A layer of 1×1 kernels sees one pixel at a time. What can it do to an image?",
    {
        "nothing": "With one channel, it can still make it brighter. With sixteen?",
        "only make it brighter or darker": "With one channel, yes. With sixteen, how many weights has a kernel?",
        "mix its channels, alike at every pixel": "Which layer does that to a list of sixteen numbers?",
        "blur it": "To blur, a pixel must hear of its neighbours. Whom does this window hear of?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask for the number of weights too: 16 channels in, 8 out. Usual wrong answer: nothing, a 1×1 window
# has nothing to look at. -->

# %% [markdown]
# Let it read 16 channels and make 8 maps. At each pixel it turns a list of sixteen numbers into a list of eight,
# always with the same weights. That is a fully connected layer, small, and used once a pixel. And the other way round:
# let the kernel grow until it covers the whole map, and there is one place for it. Every number is then connected with
# every output: a fully connected layer on the flattened map. We copy the weights and compare.

# %%
torch.manual_seed(0)
maps = torch.randn(3, 16, 5, 7)
pointwise, small = nn.Conv2d(16, 8, 1), nn.Linear(16, 8)
small.load_state_dict({"weight": pointwise.weight.flatten(1), "bias": pointwise.bias})
per_pixel = small(maps.movedim(1, -1)).movedim(-1, 1)  # linear layers work on the last axis
connected, covering = nn.Linear(16 * 5 * 7, 8 * 5 * 7), nn.Conv2d(16, 8 * 5 * 7, (5, 7))
covering.load_state_dict({"weight": connected.weight.view(-1, 16, 5, 7), "bias": connected.bias})
poked = maps.clone()
poked[:, :, 2, 3] += 1  # one pixel changes
through = {"1×1": pointwise, "full": lambda x: connected(x.flatten(1)).view(-1, 8, 5, 7)}
reached = [int(((net(poked) - net(maps)).abs().amax((0, 1)) > 1e-5).sum()) for net in through.values()]
for name, layer in [("1×1 convolution", pointwise), ("fully connected", connected), ("5×7 convolution", covering)]:
    print(f"{name}, 16×5×7 to 8×5×7: {sum(p.numel() for p in layer.parameters()):,} parameters")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("1×1 is one small linear layer at every pixel.", apart(pointwise(maps), per_pixel) < 1e-5)
claim(
    "A fully connected layer is a convolution with a kernel as large as the map.",
    apart(covering(maps).flatten(1), connected(maps.flatten(1))) < 1e-5,
)
claim(
    "136 parameters against 157,080.",
    [sum(p.numel() for p in layer.parameters()) for layer in (pointwise, connected)] == [136, 157_080],
)
claim("One pixel changes: 1×1 answers differently at that place, the full layer at all 35.", reached == [1, 35])

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the two counts changes with the size of the map? Usual wrong answer: both. And the
# question of the exam: does a 1×1 convolution replace the fully connected layer? It is one, for a pixel; it cannot
# replace one that reads the whole map. -->

# %% [markdown]
# 136 parameters for any size of map; 157,080 for this size only. As a convolution the large layer gains something: on
# a map that is larger than the one it was made for it slides, and answers for every window of 5×7. That is how VGG was
# run on larger images (chapter 06; chapter 02 draws it). A third fact will be needed in chapter 07. Two 1×1 layers in
# a row are one 1×1 layer with other weights. So between them there has to be something that is not linear, such as
# *ReLU*, which sets negative numbers to 0. (Without biases a linear layer answers −x with minus its answer to x: the
# two add up to 0. With ReLU they should not.)

# %%
larger = torch.randn(1, 16, 8, 10)
slid, corner = covering(larger), connected(larger[:, :, 3:, 3:].flatten(1))
first, second = (torch.randn(8, 8, 1, 1) for _ in range(2))
merged = torch.einsum("ab,bc->ac", second[:, :, 0, 0], first[:, :, 0, 0])[:, :, None, None]
x = torch.randn(1, 8, 5, 7)
two, one = F.conv2d(F.conv2d(x, first), second), F.conv2d(x, merged)
both_signs = [F.conv2d(F.relu(F.conv2d(signed, first)), second) for signed in (x, -x)]

# %% tags=["claim"]
claim("On a map of 8×10 the 5×7 convolution gives 4×4 answers.", slid.shape == (1, 280, 4, 4))
claim("The last is what the fully connected layer says to the last window.", apart(slid[:, :, 3, 3], corner) < 1e-5)
claim("Two 1×1 layers in a row are one 1×1 layer.", apart(two, one) < 1e-4)
claim("With ReLU between them they are not: f(x) + f(−x) is not 0.", apart(both_signs[0], -both_signs[1]) > 0.1)

# %% [markdown]
# ## Kernels made by hand
#
# What can nine numbers ask? Here are four kernels that people have typed in for decades, on the four and on a striped
# T-shirt.

# %% slideshow={"slide_type": "slide"}
shirt = fashion()[1].pixels[35, 0] / 255
mean, same = torch.ones(3, 3) / 9, torch.zeros(3, 3)
same[1, 1] = 1
hand = {"blur": mean, "sharpen": 2 * same - mean, "vertical edges": kernel / 2, "horizontal edges": kernel.T / 2}
shown = [picture for image in (four, shirt) for picture in (image, *(by_loops(image, k) for k in hand.values()))]
captions = ["the digit", *hand, "the T-shirt", *hand]
says = "The shirt's stripes answer to the kernel for horizontal edges, its sides to the one for vertical edges."
plots.maps(shown, captions, "Four kernels made by hand, on two images", columns=5, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the four kernels sum to 1, which to 0, and what does that do to a wall? Usual wrong
# answer: sharpening adds detail. It subtracts the blur; nothing comes in that was not there. -->

# %% [markdown]
# The stripes answer to the kernel for horizontal edges, the sides of the shirt to the one for vertical edges. A
# useful habit: look at the *sum* of a kernel first. On a surface without detail every window is constant, and the
# answer is brightness times that sum. (The kernels for edges are halved, so that one scale of colours fits all.)

# %%
flat = torch.full((5, 5), 0.6)
for name, typed in hand.items():
    answer = by_loops(flat, typed)[0, 0].item()
    print(f"{name:>16}: the weights sum to {typed.sum().abs():.0f}; on a wall of 0.6 it answers {abs(answer):.1f}")

# %% [markdown]
# ## Kernels that were learned
#
# In a network nobody types them in. They begin as random numbers, and training moves them so that the answers help
# (how: chapter 03; the layers in between: chapter 02). Here is a small network, eight kernels of 9×9 and one linear
# layer that reads their maps. We train it three times, from three seeds; each sees 8,000 digits twice.


# %% tags=["nbval-ignore-output"]
def trained(seed, epochs=2):
    """Eight kernels before and after training on the digits."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(1, 8, 9), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8 * 5 * 5, 10))
    start = net[0].weight.detach().clone()[:, 0]
    batches = Batches(train_set.to(device), 64, [Normalize(train_set)], Generator(device).manual_seed(seed))
    for _ in progress(train(net.to(device), batches, Recipe(epochs, learning_rate=0.05))):
        pass
    return start, net[0].weight.detach().cpu()[:, 0]


runs = [trained(first_seed() + number) for number in range(3)]
start, end = runs[0]
added = end - start

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
stages = ["random start", "after training", "what training added"]
plots.weights(torch.stack([start, end, added]), stages, "Eight kernels of a first layer")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Show the second row first. Ask: what is the speckle in it, detail that the network has learned?
# Usual wrong answer: yes. Subtract the start, third row: after two passes much of it is gone. -->

# %% [markdown]
# The kernels after training show strokes and edges, and speckle. Is the speckle something the network has learned?
# Subtract the start (third row): what two passes added is smoother. Much of the speckle is still that of the start.
# (And after ten passes? Run `first, last = trained(0, epochs=10)`, then compare `plots.roughness(last)` with
# `plots.roughness(last - first)`. From two seeds tried, what training adds is then as rough as the kernels, nearly:
# later speckle is of its own making.) We measure two things. *Roughness* is the typical difference between
# neighbouring weights, divided by their spread; for noise it is $\sqrt 2$. And the *likeness* of two kernels is the
# cosine of the angle between them: 1 if one is a positive multiple of the other, near 0 if they have nothing to do
# with each other.

# %% tags=["nbval-ignore-output"]
rough = [[plots.roughness(kernels) for kernels in (first, last, last - first)] for first, last in runs]
like = [F.cosine_similarity(last.flatten(1)[:, None], first.flatten(1), dim=2) for first, last in runs]
for (first, last, new), table in zip(rough, like):
    print(f"roughness: start {first:.2f}, trained {last:.2f}, added {new:.2f}", end="; ")
    print(f"likeness to the own start {table.diag().mean():.2f}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("A random start is as rough as noise must be: √2.", all(abs(first - 2**0.5) < 0.15 for first, _, _ in rough))
claim("Two passes make them smoother, by a fifth at least.", all(last < 0.8 * first for first, last, _ in rough))
claim("What two passes added is smoother still.", all(new < last for _, last, new in rough))
claim(
    "After them each is more like its own start than any other's.",
    all((t.argmax(1) == torch.arange(8)).all() for t in like),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: would longer training remove the speckle? Try epochs=10. Usual wrong
# answer: yes, training smooths. What it adds becomes rougher too, and the likeness to the start falls. -->

# %% [markdown]
# ## Does it hold up?
#
# Four sentences that are said about convolution, each against what was measured. Take a side before you read the
# answer.

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "A convolution layer flips its kernel, as the convolution of mathematics does.",
    apart(straight, stamped) < 1e-5,
    because="it computes a cross-correlation; only with the kernel flipped by hand do the two agree",
)
verdict(
    "A convolution is translation invariant.",
    apart(answers_to(four.roll(4, 1)), answers_to(four)) < 1e-5,
    because="the map moves with the image (equivariant), and not even that with stride 2 or at a padded border",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each sentence before showing this slide. Usual wrong answer to the second: it holds.
# What could be invariant is a network that sums over the whole map in the end; chapter 02. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Zero padding does no harm: it only keeps the size of the map.",
    [left_over(four, 4, 4, padding=1).abs().max() < 1e-5, apart(blurred, wall[0, 0]) < 1e-5],
    because="none where the background is 0 already; around anything else it draws a frame",
)
verdict(
    "A 1×1 convolution is a fully connected layer.",
    [apart(pointwise(maps), per_pixel) < 1e-5, reached[0] == 35],
    because="for the channels of one pixel it is; from the other pixels it hears nothing",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: when does the last sentence hold without an "it depends"? On a map of 1×1. Usual wrong answer:
# never. -->

# %% [markdown]
# ## Interrogate the result
#
# Our loops and our matrix agree with the library "to 0.00001", not exactly. Is that rounding, or a small bug? The
# numbers are kept with about seven digits (`float32`), and sums of the same terms in another order are rounded
# differently. If that is all, then with sixteen digits (`float64`) the difference must shrink some five hundred
# million times. A bug would stay.

# %%
in_doubles = []
for seed in range(200):
    images, kernels, how = drawn(Generator().manual_seed(seed))
    images, kernels = images.double(), kernels.double()
    expected = F.conv2d(images, kernels, **how)
    multiplied = (images.flatten(1) @ conv_matrix(kernels, images.shape[2:], **how).T).view_as(expected)
    in_doubles += [apart(conv2d_by_loops(images, kernels, **how), expected), apart(multiplied, expected)]
shrunk = max(loops_off + matrix_off) / max(in_doubles)
print(f"largest difference: {max(in_doubles):.1e}, {shrunk / 1e6:,.0f} million times smaller")

# %% tags=["claim"]
claim("In float32 not all of the 200 agree exactly.", min(max(loops_off), max(matrix_off)) > 0)
claim("In float64 the largest difference is a hundred million times smaller, or more: it was rounding.", shrunk > 1e8)

# %% [markdown]
# And the flip? It is not gone for good. A network learns from its *loss*, one number that says how wrong it is
# (chapter 03). A layer that comes earlier can learn only if this one passes back to it how the loss changes with each
# number that it read, here with each *pixel*. Going back, the matrix is transposed: rows become columns, and what was
# reading becomes stamping.

# %%
image, arriving = four.clone().requires_grad_(), torch.randn(26, 26, generator=Generator().manual_seed(0))
answers_to(image).backward(arriving)

# %% tags=["claim"]
claim(
    "The way back through the layer is the convolution of mathematics.",
    apart(image.grad, by_stamps(arriving, kernel)) < 1e-5,
)

# %% [markdown]
# <details><summary>Further: where the two restrictions come from</summary>
#
# Windows, and weights shared between places, stand already in K. Fukushima's Neocognitron (1980); LeCun and others
# (1989) trained them by gradients, to read zip codes. The two together make the difference between the full matrix
# and the banded one in the picture. What they assume, that what is near belongs together and that the same question
# makes sense everywhere, is put to the test in chapter 03.
#
# </details>

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### How large is the map?
#
# 5 minutes, ●○○
#
# Write `output_size`: the width of the map for an image of width `w`, a kernel of width `f`, padding `p` on both
# sides, stride `s`, and dilation `d`. All are whole numbers, and the kernel fits.


# %%
def output_size(w, f, p, s, d): ...


# %%
check(output_size)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_output_size(w, f, p, s, d):
    span = d * (f - 1) + 1
    return (w - span + 2 * p) // s + 1


check(solution_output_size, of="output_size")

# %% [markdown]
# ### What does it cost?
#
# 5 minutes, ●○○
#
# Convolution layers in a row, all with $k×k$ kernels and biases: `channels = [3, 16, 32]` means a layer from 3 to 16
# channels and one from 16 to 32. Write `parameters`: how many weights and biases have they together?


# %%
def parameters(channels, k): ...


# %%
check(parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_parameters(channels, k):
    return sum((k * k * c_in + 1) * c_out for c_in, c_out in pairwise(channels))


check(solution_parameters, of="parameters")

# %% [markdown]
# ### Stride and padding, by hand
#
# 10 minutes, ●●○
#
# Write `convolve`: an image (rows × columns) and a kernel (of any shape), both tensors, and two whole numbers, the
# stride in both directions and the padding with zeros on all four sides. No `F.conv2d`; if you need a start, take
# `by_loops` from above.


# %%
def convolve(image, kernel, stride, padding): ...


# %%
check(convolve)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_convolve(image, kernel, stride, padding):
    padded = torch.nn.functional.pad(image, [padding] * 4)
    h, w = kernel.shape
    rows = range(0, padded.shape[0] - h + 1, stride)
    columns = range(0, padded.shape[1] - w + 1, stride)
    sums = [[(padded[i : i + h, j : j + w] * kernel).sum() for j in columns] for i in rows]
    return torch.tensor(sums)


check(solution_convolve, of="convolve")

# %% [markdown]
# ### Horizontal edges
#
# 8 minutes, ●●○
#
# Write `horizontal_edges`: an image (rows × columns) in, its map (two axes as well, and it may be smaller) out. The
# map shall be above 0 where the numbers above are small and those below large, below 0 the other way round, and 0 on
# a flat surface and at vertical edges. The check does not look at your kernel. It looks at what your map answers.


# %%
def horizontal_edges(image): ...


# %%
check(horizontal_edges)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_horizontal_edges(image):
    kernel = torch.tensor([[-1.0, -1, -1], [0, 0, 0], [1, 1, 1]])
    return torch.nn.functional.conv2d(image[None, None], kernel[None, None])[0, 0]


check(solution_horizontal_edges, of="horizontal_edges")

# %% [markdown]
# ### 1×1 without a convolution
#
# 8 minutes, ●●○
#
# Write `pointwise_linear`: maps `x` of shape N×C×H×W, a `weight` of shape out×C and a `bias` of shape out. Return
# what a 1×1 convolution with these weights would, of shape N×out×H×W, without calling a convolution. (`torch.einsum`
# does it in one line; `F.linear` works on the last axis.)


# %%
def pointwise_linear(x, weight, bias): ...


# %%
check(pointwise_linear)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_pointwise_linear(x, weight, bias):
    return torch.einsum("nchw,oc->nohw", x, weight) + bias[:, None, None]


check(solution_pointwise_linear, of="pointwise_linear")

# %% [markdown]
# ### A detector of your own
#
# 15 minutes, ●●●
#
# The smallest network there is: one kernel, ReLU, the mean of the map. One number comes out, and if it is above a
# threshold the answer is "three", else "four" (or the other way round). Write `detector`: a kernel of `size` × `size`
# weights, for any odd `size` from 3 on. The check chooses the threshold on 1,000 threes and fours, and your kernel
# passes when 80 % of 500 others are told apart. The amount of ink alone reaches some 60 %. Which strokes has one of
# the two that the other has not? There is more than one answer.


# %%
def detector(size): ...


# %%
check(detector)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_detector(size):
    # Horizontal strokes: a three has up to three of them, a four has one. The weights sum to 0.
    kernel = torch.full((size, size), -1 / (size - 1))
    kernel[size // 2] = 1
    return kernel


check(solution_detector, of="detector")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - Window times kernel, summed, at every place: a linear layer, few weights, shared.
# - Size: steps that fit, plus one. Price of a kernel: window times channels, plus one.
# - The map moves with the image; stride and padding break it.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the two laws from memory, then compare. Usual wrong answer: the + 1 is
# missing, in both. -->

# %% [markdown]
# A question that students ask, and where this chapter measured the answer:
#
# *How does a 1×1 convolution differ from a fully connected layer?* "A kernel of one pixel": it is one, the same at
# every pixel, with 136 parameters where a layer that connects the whole map has 157,080. Change one pixel, and it
# answers differently at that place only; the connected layer does so everywhere. It changes the number of channels
# and leaves the size of the map; with ReLU in between, several of them can do more than one. It does not replace the
# layer that reads the whole map. That one is a convolution with a kernel as large as the map.
#
# **Sources.** K. Fukushima, *Neocognitron*, Biological Cybernetics 36, 1980. Y. LeCun and others, *Backpropagation
# Applied to Handwritten Zip Code Recognition*, Neural Computation 1, 1989. V. Dumoulin, F. Visin, *A guide to
# convolution arithmetic for deep learning*, 2016, arXiv:1603.07285. A. Krizhevsky, I. Sutskever, G. Hinton, *ImageNet
# Classification with Deep Convolutional Neural Networks*, 2012: 224 and 55. M. Lin, Q. Chen, S. Yan, *Network In
# Network*, 2013, arXiv:1312.4400: 1×1. K. Simonyan, A. Zisserman, *Very Deep Convolutional Networks*, 2014,
# arXiv:1409.1556: the layer that slides. R. Zhang, *Making Convolutional Networks Shift-Invariant Again*, 2019,
# arXiv:1904.11486: strides. O. Kayhan, J. van Gemert, *On Translation Invariance in CNNs*, 2020, arXiv:2003.07064:
# padding. H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017, arXiv:1708.07747.
#
# **Next**, chapter 02: pooling, fully connected layers, receptive fields. **Before**, chapter 00: the lab and its
# images.
