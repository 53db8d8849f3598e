# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Start here
#
# What this course promises, the laboratory it runs in, and what an image is: numbers in rows. At the end a first
# convolution.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: who has run a notebook before? Usual wrong answer: "I have read one". Everyone opens this one
# and presses along. -->

# %% [markdown]
# Ten minutes, and ten more for the two exercises. You need a little Python; you need not have seen JupyterLab before.
# You will leave able to read every other page of this course.
#
# This page is a *notebook*: text, and between the text boxes of Python, called *cells*. On a web page you can only
# read it; `make lab` in the course's folder opens it for work (README.md says how, also without `make`). Click into
# the box below and press **Shift-Enter**: the Shift key and Enter together.

# %%
28 * 28

# %% [markdown]
# 784 stood there already: the page keeps what a cell showed when it was last run, on another computer. So change `28
# * 28` into `28 * 30` and press again. Now 840 is your own answer, and the number at the left counts the cells that
# you have run. (28 × 28 = 784 is how many pixels a handwritten digit has.) If you double-click a text, it turns into
# its source; Shift-Enter turns it back.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Five moves
#
# - **Shift-Enter** runs a cell.
# - **Run ▸ Run All Cells** runs them all.
# - **■** interrupts a cell.
# - **Kernel ▸ Restart Kernel…** forgets everything.
# - The folder at the left shows the files, **View ▸ Activate Command Palette** all commands.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Show each once; the palette also comes by Ctrl-Shift-C (⌘-Shift-C on a Mac). Ask: a cell uses a name
# from the cell above, and stops with a NameError; why? Usual wrong answer: the page is broken. The cell above was
# never run. -->

# %% [markdown]
# Behind the page runs one Python, the *kernel*. It keeps every name that a cell has set, in the order in which *you*
# ran the cells, not in the order of the page. While a cell runs, a star stands in place of its number: `[*]`. If
# something looks strange, restart the kernel and run the cells from the top. Change what you like; **Ctrl-S** saves.
# To begin afresh, type `git checkout -- chapters/00_start.ipynb chapters/00_start.py` in a terminal in the course's
# folder: it brings this page's original back, and your changes to the page are gone.
#
# Most chapters begin with cells like these two. They load what the others use.

# %%
import torch
from torch import Generator
from torch.nn import functional as F

# %%
from cnnlib import plots
from cnnlib.claims import claim, verdict
from cnnlib.course import check, predict
from cnnlib.data import Normalize
from cnnlib.datasets import digits
from cnnlib.publish.doctor import checkup, report
from cnnlib.training import default_device, first_seed

device = default_device()

# %% [markdown]
# `default_device()` finds where networks will compute: on a graphics card (`cuda`, or `mps` on a Mac) if there is
# one, else on the processor (`cpu`). Every chapter runs on a processor too.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the course promises
#
# - What we measured, you can measure.
# - Every claim is checked when its cell runs: **✓** it holds, **✗** it does not.
# - What chance decides is measured more than once.
# - Once installed, no internet needed.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: when did you last check a number in a textbook? Usual wrong answer: "they will have checked it".
# Say that chapter 03 takes one widely told result and finds that half of it depends on the data. -->

# %% [markdown]
# So there are three kinds of cells. An *exact* cell, like `28 * 28`, shows the same on every computer. A *measured*
# cell shows what was found on the computer that ran it last. A *claim* cell tests sentences. Next come a measured one
# and a claim: run both, for the ✓ that stands there is another computer's.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is everything here?
#
# The course has a doctor: `python -m cnnlib doctor` looks at Python, packages, machine, data and Jupyter.

# %% [markdown]
# A line with ✓ is fine, one with · is good to know, and one with ✗ says what to do. Here in the notebook a function
# does the same. Where a notebook does not even start, a terminal in the course's folder still helps:
# `.venv/bin/python -m cnnlib doctor`, on Windows `.venv\Scripts\python -m cnnlib doctor`.

# %% tags=["nbval-ignore-output"]
findings = checkup()
print(report(findings))

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("Everything that the course needs is on this computer.", all(finding.fine is not False for finding in findings))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Everyone runs the doctor; whoever has a ✗ follows its line, with a neighbour's help. Ask: what does
# this ✓ say about the computer beside yours? Usual wrong answer: that it is fine too. The cell ran here. -->

# %% [markdown]
# ## An image is numbers
#
# `digits()` gives 8,000 handwritten digits to learn from and 2,000 to test on. To PyTorch, the library that all
# networks here are built with, they are one *tensor*: numbers in a grid with any number of axes. Row and column are
# counted from 0, from the upper left corner; `10:18` means 10 to 17: the end does not belong to it.

# %%
train_set, test_set = digits()
pixels = train_set.pixels
digit = pixels[300]
print("all digits  ", tuple(pixels.shape), pixels.dtype)
print("one digit   ", tuple(digit.shape), "a", train_set.labels[300].item())
print(digit[0, 10:18, 10:18])

# %% slideshow={"slide_type": "slide"}
plots.pixels(digit[0], slice(10, 18), slice(10, 18), "A digit, and a part of it as numbers")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. 0 is black, 255 is white: one byte a pixel. Ask: which pixels of the part carry the edge of the
# stroke? Usual wrong answer: the white ones. The edge is where neighbours differ. -->

# %% [markdown]
# The middle values are pixels that the pen covered in part.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Axes have an order
#
# An image is **(C, H, W)**: channels, height, width. A grey image has one *channel*, a colour image three: red,
# green, blue.
#
# A *batch* is many images in one tensor: **(N, C, H, W)**.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: what is (64, 3, 32, 32)? 64 colour images of 32×32. Usual wrong answer: 64 rows. -->

# %%
colour = torch.zeros(3, 12, 12, dtype=torch.uint8)
colour[0, 1:8, 1:8] = 255  # red, at the upper left
colour[1, 1:8, 4:11] = 255  # green, at the upper right
colour[2, 5:11, 3:9] = 255  # blue, below
print("the image   ", tuple(colour.shape))
print("one pixel   ", colour[:, 6, 6].tolist())
print("one channel ", tuple(colour[0].shape))
print("a part      ", tuple(colour[:, 1:8, 1:8].shape))

# %% slideshow={"slide_type": "slide"}
views = torch.stack([colour, *(channel.expand(3, 12, 12) for channel in colour)])
captions = ["the image", "channel 0, red", "channel 1, green", "channel 2, blue"]
says = "Each channel is one bright square; where all three overlap the image is white, where two do, a mixture."
plots.images(views, captions, "A colour image and its three channels", columns=4, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: red and green are on, blue is off; which colour? Yellow. Usual wrong answer: brown, as with
# paint. Light adds up. -->

# %% [markdown]
# An index takes an axis away (`colour[0]` is 12×12), a slice keeps it (`colour[0:1]` is 1×12×12). And `:` alone means
# the whole axis.
#
# ## Bytes, then floats
#
# A pixel is a byte, a whole number from 0 to 255. That saves memory, and it has a price. Which one? Here the page
# asks you: commit to an answer before you run on, a wrong one teaches more than none.

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Two pixels are added, as bytes: what is 200 + 100?",
    {
        "300": "A byte has 256 values, 0 to 255. Is this one of them?",
        "255, as bright as can be": "A camera would do that. But who has told the computer that these are pixels?",
        "44": "What was carried over, and where has it gone?",
        "an error": "That would be kind. Does a clock stop when it passes twelve?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Hands up for each answer. Usual wrong answer: 255. Photo programs stop there because somebody wrote
# that down for them. -->

# %%
total = torch.tensor([200], dtype=torch.uint8) + torch.tensor([100], dtype=torch.uint8)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("As bytes 200 + 100 is 44: it starts again at 0 after 255, and nothing warns you.", total.item() == 300 - 256)
claim("As floats it is 300.", (torch.tensor([200.0]) + torch.tensor([100.0])).item() == 300)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: where will this bite? Whenever images are added, subtracted, averaged. Usual wrong answer: only
# with very bright images. 128 + 128 is 0. -->

# %% [markdown]
# A *network* is made of *layers*; each takes numbers in and gives numbers out, and the next one reads those. They add
# and multiply, and with bytes that would start again at 0 after 255. So the first thing that happens to an image on
# its way into a network: it becomes floats, numbers with a fraction.
#
# ## A first convolution
#
# Can a computer that has only numbers find the outline of a digit? Compare each pixel with its eight neighbours: take
# it eight times and subtract them all. These nine factors are a *kernel*. Laying it over every place of the image,
# multiplying and adding up, is a *convolution*. (The kernel behind the page only shares its name.) Chapter 01 takes
# convolutions apart; here we use one.

# %% tags=["show-code"] slideshow={"slide_type": "slide"}
kernel = torch.full((3, 3), -1.0)
kernel[1, 1] = 8.0
edges = F.conv2d(digit.float(), kernel[None, None])
print(kernel)
print(tuple(digit.shape), "becomes", tuple(edges.shape))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. [None, None] adds two axes, for conv2d wants many kernels with many channels. Ask: why 26 and not 28?
# Usual wrong answer: a rounding error. The kernel must fit in: its middle never stands on the border. -->

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Eight times a pixel minus its eight neighbours: where on the digit is the result about 0?",
    {
        "where the image is black": "There it is 0, yes. Now take a pixel in the middle of a broad white stroke.",
        "on the outline": "A white pixel, 250, with five white and three black neighbours: 8 · 250 − 5 · 250?",
        "wherever all nine pixels are alike": "Which places of this digit are that? Take one of them and add up.",
        "nowhere": "The nine numbers of the kernel add up to 0. When does that decide?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Let them compute one place on paper: all nine pixels 250. Usual wrong answer: where it is black, for
# "white is bright". -->

# %% slideshow={"slide_type": "slide"}
captions = ["before: the digit", "after: red above 0, blue below"]
says = "White strokes turn into outlines: red inside the border, blue outside, and nothing in the middle of a stroke."
sheets = [digit.expand(3, 28, 28) / 255, edges[0]]
plots.maps(sheets, captions, "Each pixel compared with its neighbours", columns=2, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: why red on one side of the border and blue on the other? Inside, a white pixel has black
# neighbours; outside, a black one has white neighbours. Usual wrong answer: red is white, blue is black. -->

# %% [markdown]
# In the middle of a stroke nine nearly equal numbers cancel, as they do in the background; the outline stays.
# (`[None, None]` adds two axes, for `conv2d` takes many kernels with many channels. Of 28 rows 26 remain, for the
# kernel must fit in.) Nobody will draw kernels for the networks to come: they find their own.
#
# Is the picture right? Compute one place by hand, and lay the kernel on a wall where all pixels are alike.

# %%
place = digit[0, 14:17, 12:15].float()
by_hand = (place * kernel).sum()
even = torch.full((1, 5, 5), 200.0)  # a grey wall: every pixel is 200
on_a_wall = F.conv2d(even, kernel[None, None])

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("Nine products, added by hand, are the number that conv2d gives at that place.", by_hand == edges[0, 14, 12])
claim("On a grey wall the answer is 0 everywhere.", on_a_wall.abs().max() == 0)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Now everyone breaks it: change the 8 of the kernel into a 9, run down to here. Ask first: which of
# the two turns? Usual wrong answer: both. By hand and by library still agree, on the wrong kernel. -->

# %% [markdown]
# Do not believe the ✓: **break it.** Change the `8.0` in the kernel into `9.0` and run the cells from there to here.
# One of the two sentences turns to ✗. Which, and why not the other? Then put the 8 back. What you have just done, you
# can do to every claim in this course.
#
# ## Chance, kept in hand
#
# Networks begin with random weights and see images in random order. A *seed* says where a sequence of random numbers
# begins.

# %% slideshow={"slide_type": "slide"}
draws = [torch.randint(10, (8,), generator=Generator().manual_seed(number)) for number in (0, 0, 1)]
for number, numbers in zip((0, 0, 1), draws):
    print("seed", number, numbers.tolist())

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("The same seed gives the same numbers.", torch.equal(draws[0], draws[1]))
claim("Another seed gives others.", not torch.equal(draws[0], draws[2]))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: a network reads 96 % with seed 0 and 94 % with seed 1; how good is it? Usual wrong answer: as
# good as the larger number says. -->

# %% [markdown]
# Which seed is the right one? None. That is why this course repeats a training with several and shows them all.
# `first_seed()` is where they begin. To see what other seeds do, start with `CNNLIB_SEED=100 make lab` (on Windows
# first `$env:CNNLIB_SEED = 100` in PowerShell, or `set CNNLIB_SEED=100` in the command prompt, then start Jupyter from
# the same window): measured numbers change, and claims should not.

# %% tags=["nbval-ignore-output"]
print("device", device, "· seeds begin at", first_seed())

# %% [markdown]
# ## Does it hold up?
#
# Each chapter holds a few common sentences against what was measured: a *verdict* says "holds", "does not hold" or
# "it depends". Take a side first.

# %%
floats = Normalize(train_set)(pixels)  # chapter 03: shifted and scaled, so that their mean is 0
doubled = digit + digit

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "An image is a matrix.",
    [len(digit) == 1, len(colour) == 1],
    because="a grey one is; a colour image is three of them, one a channel",
)
verdict(
    "0 is black.",
    [pixels.min() == 0, floats.min() == 0],
    because="among bytes; once the mean has been moved to 0, black lies below it and 0 is a grey",
)
verdict(
    "An image added to itself becomes brighter.",
    [bool((2 * digit.float() >= digit).all()), bool((doubled >= digit).all())],
    because="as floats, yes; among bytes a pixel of 200 becomes 144, and one of 128 becomes black",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Vote before showing. Usual wrong answer to the second: of course it is. Ask what a printed 0 means
# to someone who does not know whether the images were shifted. -->

# %% [markdown]
# <details><summary>Further: what a notebook is, as a file</summary>
#
# Parts like this one are folded: they lead further, and nothing later needs them. A notebook is a text file (JSON)
# with the cells and what they printed when they last ran. That is why you can read it where no Python runs.
#
# </details>

# %% [markdown]
# ## Exercises
#
# An exercise is four cells: the task, a function to be completed (replace the `...`), its check, and a folded
# solution (click its dots to unfold it). The check tries your function on random images, shows the first that fails,
# and names the usual mistake it looks like.
# %% [markdown]
# ### Make it grey
#
# 4 minutes, ●○○
#
# Write `grey`: bytes of shape 3×H×W in, floats of shape 1×H×W out, each the mean of the pixel's three channels.


# %%
def grey(image): ...


# %%
check(grey)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_grey(image):
    return image.float().mean(0, keepdim=True)


check(solution_grey, of="grey")

# %% [markdown]
# ### From each row to the next
#
# 6 minutes, ●●○
#
# Write `downward`: bytes of shape C×H×W in, floats of shape C×(H−1)×W out. Each number says how much brighter a pixel
# is than the one right above it, below 0 if it is darker. Two slices and a subtraction do it, without a loop: which
# row must each of them leave out?


# %%
def downward(image): ...


# %%
check(downward)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_downward(image):
    values = image.float()
    return values[:, 1:] - values[:, :-1]


check(solution_downward, of="downward")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - An image is a tensor: channels, height, width. A batch has one axis more.
# - Pixels are bytes: make floats before you compute.
# - A kernel asks each place the same question.
# - ✓ can be broken. Try.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask everyone for one sentence of this page they would like to break. Usual wrong answer: none, it
# said ✓. -->

# %% [markdown]
# ## The chapters
#
# | no | chapter | state |
# |---|---|---|
# | 00 | Start here | you have read it |
# | 01 | [Convolution](01_convolution.ipynb) | ready |
# | 02 | [Pooling, fully connected layers, receptive fields](02_pooling.ipynb) | ready |
# | 03 | [Training, and the pixel-shuffle test](03_training.ipynb) | ready |
# | 04 | [LeNet](04_lenet.ipynb) | ready |
# | 05 | [AlexNet and ZFNet](05_alexnet.ipynb) | ready |
# | 06 | [VGG](06_vgg.ipynb) | ready |
# | 07 | [Network in Network (NiN)](07_nin.ipynb) | ready |
# | 08 | [GoogLeNet, Inception v2 and v3](08_inception.ipynb) | ready |
# | 09 | [ResNet](09_resnet.ipynb) | ready |
# | 10 | [DenseNet](10_densenet.ipynb) | ready |
# | 11 | [MnasNet and EfficientNet](11_efficientnet.ipynb) | ready |
# | 12 | [All of them, side by side](12_side_by_side.ipynb) | ready |
#
# 00 to 03 are best read in this order. From 04 on each chapter takes one family of networks, from LeNet-5 of 1998 to
# EfficientNet of 2019.

# %% [markdown]
# ## Glossary
#
# Words of the whole course, a sentence each; the number is the chapter that builds the thing. Come back when a word
# has slipped away.
#
# ### A to C
#
# - <a id="accuracy"></a>**accuracy** (03): the share of images whose class a network names rightly.
# - <a id="activation"></a>**activation** (04): a function applied to each number that a layer gives, ReLU for one;
#   also the numbers it gives.
# - <a id="arm"></a>**arm** (03): one of the networks or kinds of images that an experiment compares.
# - <a id="augmentation"></a>**augmentation** (03): changing training images at random, by mirroring or shifting, so
#   that no two passes see the same ones.
# - <a id="autograd"></a>**autograd** (03): PyTorch's record of what was computed, from which it derives gradients.
# - <a id="average-pooling"></a>**average pooling** (02): pooling that keeps the mean of each window.
# - <a id="backward"></a>**backward** (03): the pass from the loss back to the weights that computes their
#   gradients.
# - <a id="batch"></a>**batch** (03): the images that go through the network together, for one step.
# - <a id="batch-norm"></a>**batch norm** (03): a layer that gives each channel mean 0 and deviation 1 over the
#   batch, then scales and shifts it.
# - <a id="bias"></a>**bias** (01): a number added to every output of a kernel or unit, learnt like a weight.
# - <a id="channel"></a>**channel** (00): one of the grids of numbers that an image or a feature map is made of.
# - <a id="claim"></a>**claim** (00): a sentence with a condition that a cell checks, ✓ or ✗.
# - <a id="class"></a>**class** (03): one of the answers to choose from, such as the ten digits.
# - <a id="convolution"></a>**convolution** (01): laying a kernel over every place of an image, multiplying, adding
#   up.
# - <a id="cross-correlation"></a>**cross-correlation** (01): the exact name of what networks call convolution: the
#   kernel is not flipped.
# - <a id="cross-entropy"></a>**cross-entropy** (03): a loss: minus the logarithm of the probability that the right
#   class got.
#
# ### D to G
#
# - <a id="dense-block"></a>**dense block** (10): layers that each receive the maps of all layers before them.
# - <a id="depthwise-convolution"></a>**depthwise convolution** (11): a convolution that treats every channel by
#   itself, with a kernel of its own.
# - <a id="dilation"></a>**dilation** (01): spreading a kernel's weights apart, so that it spans more and costs the
#   same.
# - <a id="dropout"></a>**dropout** (03): setting a random part of the values to 0 in training.
# - <a id="epoch"></a>**epoch** (03): one pass over all training images.
# - <a id="equivariance"></a>**equivariance** (01): move the input, and the output moves along.
# - <a id="fully-connected"></a>**fully connected layer** (02): a layer in which each output has a weight for each
#   input.
# - <a id="gradient"></a>**gradient** (03): for each weight, how fast the loss grows when the weight grows.
# - <a id="groups"></a>**groups** (01): a convolution in several parts, each seeing only its share of the channels.
#
# ### I to M
#
# - <a id="inception-block"></a>**inception block** (08): several convolutions of different sizes side by side,
#   their maps put together.
# - <a id="kernel"></a>**kernel** (01): the small grid of weights of a convolution; also the Python behind a
#   notebook (00).
# - <a id="label"></a>**label** (03): the right class of an image, as a number.
# - <a id="learning-rate"></a>**learning rate** (03): how far a step goes against the gradient.
# - <a id="logit"></a>**logit** (03): a network's raw output for a class, any number, before softmax.
# - <a id="loss"></a>**loss** (03): one number that says how wrong the network is; training lowers it.
# - <a id="mac"></a>**MAC** (02): multiply-add, one multiplication with an addition; networks' work is counted in it.
# - <a id="map"></a>**map**, or feature map (01): one channel of what a convolution gives, an answer for each place.
# - <a id="max-pooling"></a>**max pooling** (02): pooling that keeps the largest value of each window.
# - <a id="momentum"></a>**momentum** (03): adding a part of the last step to the next.
#
# ### N to R
#
# - <a id="normalise"></a>**normalise** (03): shift and scale pixels by the mean and deviation of the training part.
# - <a id="overfitting"></a>**overfitting** (05): doing better on training images than on new ones, by learning what
#   only they have.
# - <a id="padding"></a>**padding** (01): a border, mostly of zeros, laid round an image before a convolution.
# - <a id="parameter"></a>**parameter** (01): a number that training changes: a weight or a bias.
# - <a id="permutation"></a>**permutation** (03): a new order in which nothing is lost.
# - <a id="pixel"></a>**pixel** (00): one place of an image, with one number a channel.
# - <a id="pooling"></a>**pooling** (02): making a map smaller by keeping one number of each window.
# - <a id="receptive-field"></a>**receptive field** (02): the part of the image that one number of a map depends on.
# - <a id="recipe"></a>**recipe** (03): how a network is trained: epochs, learning rate, batch size and the like.
# - <a id="relu"></a>**ReLU** (01): the activation that replaces what is below 0 by 0.
# - <a id="residual-block"></a>**residual block** (09): layers whose output is added to their input.
#
# ### S to W
#
# - <a id="seed"></a>**seed** (00): the number that fixes a sequence of random numbers.
# - <a id="softmax"></a>**softmax** (03): turns logits into probabilities that add up to 1.
# - <a id="step"></a>**step** (03): one change of all weights, after one batch.
# - <a id="stride"></a>**stride** (01): how far the window moves from place to place.
# - <a id="tensor"></a>**tensor** (00): numbers in a grid with any number of axes.
# - <a id="test-part"></a>**test part** (03): images read once, for the number that is reported.
# - <a id="training-part"></a>**training part** (03): images that the weights learn from.
# - <a id="transform"></a>**transform** (03): what happens to a batch before the network sees it.
# - <a id="validation-part"></a>**validation part** (03): images set apart to decide by, such as for a learning
#   rate.
# - <a id="verdict"></a>**verdict** (00): what is left of a common sentence once it is measured.
# - <a id="weight"></a>**weight** (01): a number that an input is multiplied by, found by training.
# - <a id="weight-sharing"></a>**weight sharing** (01): using the same weights at every place, as a convolution
#   does.

# %% [markdown]
# **Sources.** Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*. The digits of this course
# are 10,000 of them; data/README.md says which.
#
# **Next**, chapter 01: [Convolution](01_convolution.ipynb).
