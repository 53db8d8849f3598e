# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Pooling, fully connected layers, receptive fields
#
# Two layers beside the convolution, and one question to every network: which pixels can this unit see?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: what does a pooling layer do for a network? Usual answers: "it makes it invariant to shifts",
# "fewer parameters". Write them on the board; both are tested today. -->

# %% [markdown]
# This chapter takes about an hour; its code runs in some ten seconds. You need to know what a convolution does:
# kernel, stride, padding, channels (chapter 01). You will leave able to say, for any network, where its parameters
# are, where its work is, and what each of its units can see. Nothing is trained here.
#
# **✓** marks a sentence that the cell above it has just checked. Where you are asked for a prediction, commit to one
# before you run on. The exercises stand together at the end.

# %%
import torch
from torch import nn
from torch.nn import functional as F

# %%
from cnnlib import plots
from cnnlib.analysis import receptive_field, recording, summary
from cnnlib.claims import claim, verdict
from cnnlib.course import check, predict
from cnnlib.datasets import digits
from cnnlib.models import MODELS, lenet, lenet5
from cnnlib.training import first_seed
from cnnlib.widgets import FieldLab

torch.set_num_threads(1)

# %% [markdown]
# ## One number for a window
#
# A convolution weighs the numbers in a window and adds them up. A *pool* does something plainer: of the numbers in
# the window it keeps the largest (*max pooling*) or the mean (*average pooling*). Here is a piece of a digit, and
# what a 2×2 pool makes of it.

# %%
train_set, test_set = digits()
images = test_set.pixels / 255  # N×1×28×28, from 0 to 1
piece = test_set.pixels[1:2, :, 8:14, 10:16].float()
for name, numbers in [("piece", piece), ("max", F.max_pool2d(piece, 2)), ("mean", F.avg_pool2d(piece, 2))]:
    print(name)
    for row in numbers[0, 0].tolist():
        print("".join(f"{value:8g}" for value in row))

# %% [markdown]
# Check one by hand: the upper left window holds 252, 127, 177 and 3. Its largest number is 252, its mean 559 / 4 =
# 139.75. The window then moves on by its own width, so no number is used twice.

# %%
nine = images[1:2]
ways = {
    "as it is": nine,
    "max of 2×2": F.max_pool2d(nine, 2),
    "mean of 2×2": F.avg_pool2d(nine, 2),
    "max of 4×4": F.max_pool2d(nine, 4),
    "mean of 4×4": F.avg_pool2d(nine, 4),
}
shown = torch.cat([F.interpolate(maps, 28) for maps in ways.values()])  # all drawn in one size

# %% slideshow={"slide_type": "slide"}
captions = [f"{way}: {len(maps[0, 0])}×{len(maps[0, 0])}" for way, maps in ways.items()]
says = "The maxima make the strokes thick and nearly close the loop of the nine; the means make them grey."
plots.images(shown, captions, "A digit, pooled", columns=5, finding=says)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what became of the hole in the nine, and why? The maximum of a window is bright if any of its
# pixels is. Usual wrong answer: both pools lose the same. -->

# %% [markdown]
# A pool has a *window* and a *stride*, as a convolution has. If you name no stride, the stride is the window. With a
# smaller one the windows overlap: AlexNet (chapter 05) takes the maximum of 3×3, every two pixels.
#
# **What happens at the edge?** On a side of $W$ pixels, windows of $k$ with stride $s$ make $\lfloor (W - k) / s
# \rfloor + 1$ numbers, as for a convolution without padding. Where they do not come out even, the brackets round down
# (*floor*), and the last pixels are not looked at. With `ceil_mode=True` a last window hangs over the edge.

# %%
sides = range(6, 13)
print("side                     ", *(f"{side:3}" for side in sides))
for window, stride in [(2, 2), (3, 2)]:
    for ceil in (False, True):
        pool = nn.MaxPool2d(window, stride, ceil_mode=ceil)
        pooled = [pool(torch.zeros(1, side, side)).shape[-1] for side in sides]
        rounding = "ceil" if ceil else "floor"
        print(f"window {window}, stride {stride}, {rounding:<5} ", *(f"{side:3}" for side in pooled))

# %%
edge = torch.zeros(1, 7, 7)
edge[..., 6] = 1  # the last of seven columns is bright
down, up = (F.max_pool2d(edge, 2, ceil_mode=ceil) for ceil in (False, True))

# %% tags=["claim"]
claim("A 2×2 pool that rounds down does not see the last of seven columns.", down.max() == 0)
claim("One that rounds up does.", up.max() == 1)

# %% [markdown]
# Both are right. But a network that was trained with one and runs with the other sees other edges, and no error tells
# you. With windows of 2×2 on even sizes (224, 112, 56, …) the question does not come up; with 3×3 every two pixels it
# comes up on every even size.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What a pool leaves alone
#
# A pool works on each map by itself: as many maps out as in. And it has nothing to learn: no weights.

# %%
torch.manual_seed(0)
maps = torch.rand(1, 6, 28, 28)
brighter = maps.clone()
brighter[:, 2] += 1  # only the third map changes
pool = nn.MaxPool2d(2)
changed = (pool(brighter) != pool(maps)).flatten(2).any(2)[0].tolist()
print(tuple(maps.shape), "becomes", tuple(pool(maps).shape))

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "Change one map, and one pooled map changes, the one at the same place.",
    changed == [False] * 2 + [True] + [False] * 3,
)
claim("A pool has no parameters.", sum(p.numel() for p in pool.parameters()) == 0)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: 6 maps of 28×28 go into a 2×2 max pool; what comes out? Usual wrong answer: 3 maps, or 12. -->

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "A network: convolution, pool, convolution, pool, three fully connected layers. "
    "Take both pools out. Which layers get more parameters?",
    {
        "all of them": "Write down the parameters of a 5×5 kernel. Does the size of the image stand in them?",
        "the convolutions": "A kernel is used at more places now. Is each place a new kernel?",
        "the first fully connected one": "Which of its numbers comes from the map, and how large is it now?",
        "none": "A pool has none of its own, true. But what must the layer behind it be able to take?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Let them write down the formula for the parameters of each kind of layer first. Usual wrong answer:
# all, because the maps are larger. -->


# %%
def small_net(pools):
    side = 5 if pools else 24
    pool = nn.MaxPool2d if pools else nn.Identity
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), pool(2), nn.Conv2d(6, 16, 5), nn.ReLU(), pool(2), nn.Flatten(),
        nn.Linear(16 * side * side, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


costs = {pools: summary(small_net(pools), (1, 32, 32)) for pools in (True, False)}

# %% slideshow={"slide_type": "slide"}
print("                      parameters             multiply-adds")
print("layer            with      without        with      without")
for a, b in zip(costs[True], costs[False]):
    if a.parameters:
        print(f"{a.kind if a.name else 'whole':<10}{a.parameters:11,}{b.parameters:13,}{a.macs:12,}{b.macs:13,}")

# %% [markdown]
# (The last row is the whole network. A *multiply-add* is one multiplication with its addition, counted for one image.
# ReLU, between the layers, replaces negative numbers by zero.)

# %%
with_pools, without = ([part for part in costs[pools] if part.parameters] for pools in (True, False))
more = [b.parameters > a.parameters for a, b in zip(with_pools, without)]
dearer = [b.macs > a.macs for a, b in zip(with_pools, without)]
times = round(without[2].parameters / with_pools[2].parameters)

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "Without pools only the first fully connected layer has more parameters, 23 times as many.",
    more[:5] == [False] * 2 + [True] + [False] * 2 and times == 23,
)
claim("Work is saved already in the second convolution.", dearer[:3] == [False, True, True])

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: and if the network ended in an average over each map, as many do (chapter 07)? Then no layer
# would change. Usual wrong answer: the pools still save parameters. -->

# %% [markdown]
# One more thing that a pool needs: neighbours that mean something. You can read that pools also stand *between fully
# connected layers*. But the units of such a layer have no order. Renumber them, with their weights, and the network
# is the same network. A pool between them would make it another one:

# %%
torch.manual_seed(0)
first, last, order = nn.Linear(784, 120), nn.Linear(120, 10), torch.randperm(120)
digit = images[:1].flatten(1)
hidden, renumbered = F.relu(first(digit)), F.relu(first(digit))[:, order]
plain = last(hidden), F.linear(renumbered, last.weight[:, order], last.bias)
pooled = F.max_pool1d(hidden, 2), F.max_pool1d(renumbered, 2)

# %% tags=["claim"]
claim("Renumber the hidden units: the outputs stay.", torch.allclose(*plain, atol=1e-5))
claim(
    "Pool pairs of them, and other numbers come out: even their sum differs.",
    not torch.isclose(pooled[0].sum(), pooled[1].sum(), atol=1e-3),
)

# %% [markdown]
# (Networks called maxout do take the maximum of groups of units. There the groups are part of the design from the
# start, and training fits the weights to them.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Does a shift go unnoticed?
#
# "Pooling makes a network invariant to small shifts." *Invariant* means: the image moves, the numbers stay. That can
# be counted.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "2,000 digits, each moved one pixel to the right. For how many is the 2×2 max-pooled map exactly the same?",
    {
        "nearly all": "For which pixels does the maximum stay in its window? And for those at the right end of one?",
        "about half": "Half is right for a single bright pixel. How many edges does a digit have?",
        "about one in ten": "Count the places at which a stroke begins or ends. How many must be lucky at once?",
        "none": "One lucky digit in 2,000 would refute that. What would it have to look like?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw one bright pixel in a 2×2 grid and move it right, twice. Usual wrong answer: nearly all, since
# that is what pooling is for. -->

# %%
wide = F.pad(images, [4] * 4)  # a black margin, so that nothing falls off the edge
dots = torch.eye(784).view(784, 1, 28, 28)  # one bright pixel each, at every place


def unchanged(pictures, pixels):
    moved = pictures.roll(pixels, 3)
    return int((pool(moved) == pool(pictures)).flatten(1).all(1).sum())


print(f"one pixel to the right: {unchanged(dots, 1)} of 784 dots, {unchanged(wide, 1)} of 2,000 digits unchanged")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("A single bright pixel goes unnoticed in half of all places.", unchanged(dots, 1) == 784 / 2)
claim("A digit never does: none of 2,000 pooled maps is the same.", unchanged(wide, 1) == 0)
claim(
    "Move the digit by two, and its pooled map moves by one, exactly.",
    torch.equal(pool(wide.roll(2, 3)), pool(wide).roll(1, 3)),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. The third line is the opposite of invariance: what moves in, moves out. The word is equivariance.
# Usual wrong answer: after two pixels the pool has lost track. -->

# %% [markdown]
# So the pool is blind only to moves *inside* its windows, and a digit has pixels at the edges of many windows. Not
# equal, then. But perhaps nearly equal? We need a scale. Take the distance between two maps (the root of the sum of
# squared differences), and divide by the mean distance to *another digit's* map. At 0 nothing has changed; at 1 the
# moved digit is as far from itself as another digit is.

# %%
pools = {
    "the pixels": lambda x: x,
    "max of 2×2": lambda x: F.max_pool2d(x, 2),
    "mean of 2×2": lambda x: F.avg_pool2d(x, 2),
    "max of 4×4": lambda x: F.max_pool2d(x, 4),
    "mean of 5×5, every 2": lambda x: F.avg_pool2d(x, 5, 2, 2),
}


def change(way, pictures, pixels, axis=3):
    moved, others = pictures.roll(pixels, axis), pictures.roll(1, 0)  # others: the next digit of the list
    distance, scale = ((way(pictures) - way(other)).flatten(1).norm(dim=1).mean() for other in (moved, others))
    return float(distance / scale)


changes = {name: [change(way, wide, pixels) for pixels in (1, 2, 3, 4)] for name, way in pools.items()}

# %% slideshow={"slide_type": "slide"}
plots.shifts(changes, "How far a digit is from itself after it moved")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which line would you have expected lowest? Usual wrong answer: the maxima. Averages over large
# windows that overlap do more; after four pixels nothing helps (clothes are broader: 0.7 to 0.9). Where, then, does a
# network's tolerance come from? From shifted training images, from blurring, from one number a map at the end. -->

# %% [markdown]
# Pools in a network stand behind convolutions. So measure there too, behind random kernels and ReLU, from five seeds.
# And measure at the end of the small network from above, untrained, with its two pools and without; and of one that
# ends in a mean over each map.


# %%
def averaged(pools):
    """The small network again, but each of its last maps becomes one number."""
    pool = nn.MaxPool2d if pools else nn.Identity
    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    return nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), pool(2), nn.Conv2d(6, 16, 5), nn.ReLU(), pool(2), *end)


# %% tags=["nbval-ignore-output"]
seeds, softened = range(first_seed(), first_seed() + 5), []
for seed in seeds:
    torch.manual_seed(seed)
    with torch.no_grad():
        features = F.relu(F.conv2d(wide[:500], torch.randn(8, 1, 5, 5), padding=2))
    before, behind = (change(pools[name], features, 1) for name in ("the pixels", "max of 2×2"))
    softened.append(1 - behind / before)
print("taken off the distance by a 2×2 max pool:", [f"{share:.0%}" for share in softened])

# %% tags=["nbval-ignore-output"]
ends = {
    "two pools, fully connected": (small_net, True),
    "no pools, fully connected": (small_net, False),
    "two pools, a mean": (averaged, True),
    "no pools, a mean": (averaged, False),
}
framed, ends_moved = F.pad(images[:500], [2] * 4), {end: [] for end in ends}
for end, (build, has_pools) in ends.items():
    for seed in seeds:
        torch.manual_seed(seed)
        with torch.no_grad():
            ends_moved[end].append(change(build(has_pools), framed, 1))
for end, moved_by in ends_moved.items():
    print(f"how far the outputs move, {end}:", [f"{distance:.2f}" for distance in moved_by])

pooled_ends, without_pools = ends_moved["two pools, fully connected"], ends_moved["no pools, fully connected"]

# %%
one_number = {"mean": lambda x: x.mean((2, 3)), "maximum": lambda x: x.amax((2, 3))}
stays = [(way(wide.roll(7, 3)) - way(wide)).abs().max() for way in one_number.values()]

# %% tags=["claim"]
claim(
    "One pixel of shift: of the pixels' distance a 2×2 max pool takes off a tenth.",
    0.05 < 1 - changes["max of 2×2"][0] / changes["the pixels"][0] < 0.15,
)
claim("Behind random kernels and ReLU: less than a quarter, in each of five runs.", max(softened) < 1 / 4)
claim(
    "A mean over 5×5 takes off more than a third.",
    changes["mean of 5×5, every 2"][0] < 2 / 3 * changes["the pixels"][0],
)
claim(
    "After four pixels, sideways or down, every map is about as far off as another digit's.",
    all(0.9 < change(way, wide, 4, axis) < 1.15 for way in pools.values() for axis in (2, 3)),
)
# %% tags=["claim"]
claim("A mean or a maximum over all pixels does not ask where they stand.", max(stays) < 1e-6)
claim("The outputs of five untrained networks with two pools move by over a quarter.", min(pooled_ends) > 0.25)
claim("Such networks without pools move further, in the mean of five.", sum(without_pools) > sum(pooled_ends))
claim(
    "Ending in a mean over each map, they move over twice as far with two pools as without.",
    all(a > 2 * b for a, b in zip(ends_moved["two pools, a mean"], ends_moved["no pools, a mean"])),
)

# %% [markdown]
# In the mean over the digits a pool softens a shift; it does not remove it. A mean over the *whole* map does not ask
# where things stand in it, and pays for that: it no longer knows where anything is. But what stands in the map must
# have moved as a whole. Behind two pools it has not: after one pixel other neighbours share a window, and the maxima
# are other numbers. So, before any training, pools help a little in front of fully connected layers; but the network
# that ends in a mean is far steadier *without* its pools. What training makes of that we have not measured here. What
# pools do well is another thing: they make maps smaller, so that the layers behind see more of the image, at less
# cost. Of that more below.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Fully connected layers
#
# Every output has a weight of its own for every input, and a bias: $(n + 1) \cdot m$ parameters from $n$ inputs to
# $m$ outputs. Which pixels were neighbours no longer matters.

# %% [markdown]
# The largest of this course stands in VGG16 (chapter 06): it takes 512 maps of 7×7 and puts out 4,096 numbers.

# %%
print(f"{512 * 7 * 7:,} inputs, {(512 * 7 * 7 + 1) * 4096:,} parameters")

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "VGG16 has 13 convolutions and 3 fully connected layers. Which share of its 138 million parameters do the 3 hold?",
    {
        "about 20 %": "3 of 16 layers, yes. Are they of one size? Compare 3×3×512×512 with the number printed above.",
        "about 50 %": "Which of the three is the largest? Compare it with all 13 convolutions together.",
        "about 90 %": "Which one of the three would hold most of that? Work out its size.",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask for two guesses, parameters and multiply-adds. Usual wrong answer: 3 of 16 layers, so about a
# fifth of both. -->

# %%
sizes = {"lenet": (1, 32, 32), "alexnet_2012": (3, 224, 224), "vgg16": (3, 224, 224)}
sizes |= {"googlenet_2014": (3, 224, 224), "resnet50": (3, 224, 224)}
found = {}
for name, shape in sizes.items():
    with torch.device("meta"):  # shapes without numbers: VGG16's weights alone would fill 550 MB
        net = MODELS[name]()
    found[name] = summary(net, shape, depth=9)


# %%
def fully_connected(parts, quantity):
    return sum(getattr(part, quantity) for part in parts if part.kind == "Linear") / getattr(parts[-1], quantity)


# %% slideshow={"slide_type": "slide"}
rows = {
    name: {"parameters": fully_connected(parts, "parameters"), "multiply-adds": fully_connected(parts, "macs")}
    for name, parts in found.items()
}
plots.shares(rows, "What the fully connected layers have of the whole network")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: a weight of a convolution, how often is it used for one image? And one of a fully connected
# layer? Usual wrong answer: more parameters mean more work. -->

# %%
vgg = found["vgg16"]
share = next(part for part in vgg if part.kind == "Linear").parameters / vgg[-1].parameters
averaging = [rows[name]["parameters"] for name in ("googlenet_2014", "resnet50")]
uses = {"Conv2d": [], "Linear": []}  # how often each weight is used, and at how many places of the output
for part in vgg:
    if part.kind in uses:
        weights = part.parameters - part.shape[0]  # without the biases
        uses[part.kind].append((part.macs / weights, part.shape[1:]))

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("The first fully connected layer of VGG16 alone has 74.3 % of its parameters.", round(share, 3) == 0.743)
claim("GoogLeNet and ResNet-50 keep less than 15 % of theirs in one.", max(averaging) < 0.15)
claim(
    "Each weight of a convolution is used once at every place of its map.",
    all(times == height * width for times, (height, width) in uses["Conv2d"]),
)
claim("Each weight of a fully connected layer is used once.", all(times == 1 for times, _ in uses["Linear"]))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: VGG16's first convolution has 1,728 weights; how many multiply-adds? 1,728 times 224 times 224,
# 87 million. Usual wrong answer: 1,728. -->


# %%
def work_of_half(parts):
    """The share of the work in those layers, the largest first, that hold half of the parameters."""
    whole, layers = parts[-1], [part for part in parts if part.kind in ("Conv2d", "Linear")]
    held, done = 0, 0
    for layer in sorted(layers, key=lambda layer: layer.parameters, reverse=True):
        if held < whole.parameters / 2:
            held, done = held + layer.parameters, done + layer.macs
    return done / whole.macs


half = {name: work_of_half(parts) for name, parts in found.items()}
for name, done in half.items():
    print(f"{name:15} the layers that hold half of its parameters do {done:.0%} of its work")


# %% [markdown]
# So parameters and work sit at opposite ends of such a network. The early convolutions have few weights and use each
# of them thousands of times; the fully connected layers have nearly all weights and use each once. GoogLeNet and
# ResNet average each map to one number before their only fully connected layer, and that layer is small. Among the
# convolutions the same is true in little: the few that hold half of ResNet-50's parameters do a seventh of its work.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A fully connected layer is a convolution
#
# Let a kernel be as large as the map: it fits at one place only, and weighs every number of the map once. That is a
# fully connected layer, written differently.

# %%
net = lenet()  # `small_net` from above, as the library has it
linear = net.classifier[1]  # 400 → 120; its inputs are 16 maps of 5×5
with torch.no_grad():
    maps = net.features(torch.rand(3, 1, 32, 32))

# %% tags=["show-code"] slideshow={"slide_type": "fragment"}
kernels = linear.weight.view(120, 16, 5, 5)
by_convolution = F.conv2d(maps, kernels, linear.bias)
by_layer = linear(maps.flatten(1))

# %%
print(tuple(by_layer.shape), tuple(by_convolution.shape))

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("Both give the same 120 numbers for each image.", torch.allclose(by_convolution[..., 0, 0], by_layer, atol=1e-5))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what happens if the map is larger than 5×5? The layer stops with an error, the kernel slides.
# Usual wrong answer: both fail. -->

# %% [markdown]
# What does it buy? On a larger image the layer would stop with an error. The kernel slides, and gives one answer for
# every place. To see it, we need a fully connected layer that can do something, and we can compute one without
# training: ten outputs, one a digit, whose weights are the *mean image* of that digit. The product with the mean image
# says how much the window looks like it. The bias takes off half the sum of the mean image's squares. Then the highest
# score belongs to the digit whose mean image is nearest, a bright mean has no advantage, and a nearly black window
# gets no score above zero.

# %%
bright = train_set.pixels / 255
means = torch.stack([bright[train_set.labels == digit].mean(0) for digit in range(10)])  # 10×1×28×28
reader = nn.Linear(784, 10)
with torch.no_grad():
    reader.weight.copy_(means.flatten(1))
    reader.bias.copy_(-means.flatten(1).square().sum(1) / 2)
    right = (reader(images.flatten(1)).argmax(1) == test_set.labels).float().mean()
print(f"{right:.0%} of the test digits are read right")

# %%
strip = torch.zeros(1, 1, 28, 170)
for place, digit in enumerate(images[15:19]):
    strip[..., 47 * place : 47 * place + 28] = digit
with torch.no_grad():
    scores = F.conv2d(strip, reader.weight.view(10, 1, 28, 28), reader.bias)
    crops = strip.unfold(3, 28, 1)[0, 0].transpose(0, 1)  # each window of the strip, cut out
    one_by_one = reader(crops.flatten(1))
print(tuple(scores.shape))

# %% slideshow={"slide_type": "slide"}
plots.sliding(strip[0], scores[0, :, 0], test_set.classes, "A fully connected layer, slid along a strip of digits")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: the layer was made for 28×28 images; who told it where the digits are? Nobody: it answered at
# all 143 places, and the high scores are where a digit is. Usual wrong answer: it was trained on strips. -->

# %% [markdown]
# Behind convolutions it also saves work, since windows that overlap share their maps. Today's LeNet, rewritten as
# convolutions all the way, looks at an image of 64×64:


# %%
def as_convolutions(net):
    layers = [layer for layer in net.classifier if isinstance(layer, nn.Linear)]
    convs = [nn.Conv2d(16, 120, 5), nn.Conv2d(120, 84, 1), nn.Conv2d(84, 10, 1)]
    for conv, layer in zip(convs, layers):
        conv.load_state_dict({"weight": layer.weight.view_as(conv.weight), "bias": layer.bias})
    return nn.Sequential(*net.features, convs[0], nn.ReLU(), convs[1], nn.ReLU(), convs[2])


large = torch.rand(1, 1, 64, 64)
everywhere = as_convolutions(net)
with torch.no_grad():
    answers = everywhere(large)
    crop = net(large[..., 12:44, 20:52])  # 32×32 from row 12 = 3·4, column 20 = 5·4
at_once, alone = summary(everywhere, (1, 64, 64))[-1].macs, 81 * summary(net, (1, 32, 32))[-1].macs
print(f"{tuple(answers.shape)}: {at_once:,} multiply-adds at once, {alone:,} for 81 images one by one")

# %% tags=["claim"]
claim(
    "The strip's scores are those of the fully connected layer on each window alone.",
    torch.allclose(scores[0, :, 0].T, one_by_one, atol=1e-3),
)
claim(
    "LeNet's answer in row 3, column 5 is that for the 32×32 pixels from row 12, column 20.",
    torch.allclose(answers[:, :, 3, 5], crop, atol=1e-5),
)
claim("81 answers at once cost a fifth of 81 images.", 4.5 < alone / at_once < 5.5)

# %% [markdown]
# Why 12 and 20? Neighbouring answers lie four pixels apart in the image: each of the two pools doubles the step. Step
# and size of what a unit sees are the subject of the rest of this chapter.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What can a unit see?
#
# A *unit* is one number of a map. Behind one 3×3 convolution it depends on 3×3 pixels. Those on which it can depend
# are its *receptive field*.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "Three 3×3 convolutions in a row, stride 1: how many pixels wide is the receptive field of a unit at the end?",
    {
        "3": "The last one looks at 3×3 units of a map. What do these look at?",
        "5": "How many maps have you gone back to get there?",
        "7": "How much does each layer add, and what would change with a stride of 2?",
        "9": "Three windows side by side would be nine wide. Do neighbouring units' windows lie side by side?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw it in one dimension: a unit, three below it, and the pixels below those. Usual wrong answer:
# nine, or 27. -->

# %% [markdown]
# Go from the image upwards and keep two numbers. The *size* of the field, and the *step*: by how many pixels the
# fields of neighbouring units lie apart. A window of $k$ spans $k$ units, so it adds $k - 1$ steps to the size. A
# stride multiplies the step for all layers behind.
#
# $$\text{size} \leftarrow \text{size} + (k - 1) \cdot \text{step}, \qquad \text{step} \leftarrow \text{step} \cdot
# \text{stride}$$


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def field(layers):
    """Size and step behind layers of (window, stride)."""
    size, step = 1, 1
    for window, stride in layers:
        size += (window - 1) * step
        step *= stride
    return size, step


# %% slideshow={"slide_type": "fragment"}
for depth in (1, 2, 3):
    print("3×3 convolutions:", depth, " size", field([(3, 1)] * depth)[0])
print("LeNet with its pools:   ", field([(5, 1), (2, 2), (5, 1), (2, 2)]))
print("and without:            ", field([(5, 1), (5, 1)]))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Do LeNet on the board: 5, 6, 14, 16. Ask: what did the pools do? They doubled the step, so the
# second convolution added 8 pixels, not 4. Usual wrong answer: the order of the two lines in the loop does not
# matter. -->

# %% [markdown]
# This is what pools are good for: the second 5×5 convolution of LeNet reaches 8 pixels further instead of 4, with the
# same 25 weights a map.
#
# Is the formula right? Ask the network itself. For every pixel: if it were a little brighter, by how much would the
# unit change? Torch computes this slope for all pixels at once; it is called the *gradient*. In these networks (mean
# pools, no ReLU) a slope of zero means that the unit does not see the pixel. (With max pools it would not: only the
# largest number of each window has a slope, though any of them might have been the largest. And we make all weights
# positive, so that no two ways through the network cancel out.)


# %%
def slopes(net, side):
    """How strongly each pixel of a side×side image acts on the middle unit at the net's end."""
    image = torch.ones(1, 1, side, side, requires_grad=True)
    maps = net(image)
    middle = maps.shape[-1] // 2
    (gradient,) = torch.autograd.grad(maps[0, 0, middle, middle], image)
    return gradient[0, 0]


def positive(*layers):
    """A net of these layers, its weights random but positive."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.uniform_(layer.weight, 0.5, 1)
    return nn.Sequential(*layers)


# %%
depths = {"one": 1, "two": 2, "three": 3}
stacks = {name: positive(*[nn.Conv2d(1, 1, 3, bias=False) for _ in range(n)]) for name, n in depths.items()}
stacks["three and pools"] = positive(*[layer for conv in stacks["three"] for layer in (conv, nn.AvgPool2d(2))])
lit = {name: slopes(net, 28) != 0 for name, net in stacks.items()}
by_gradient = {name: int(pixels.any(0).sum()) for name, pixels in lit.items()}
by_formula = {name: field([(3, 1)] * n)[0] for name, n in depths.items()}
by_formula["three and pools"] = field([(3, 1), (2, 2)] * 3)[0]
by_library = {name: receptive_field(net)[-1].size[1] for name, net in stacks.items()}

# %% slideshow={"slide_type": "slide"}
grey = images[1].expand(3, 28, 28)
tint = torch.tensor([1.0, 0.6, 0.0])[:, None, None]  # orange where the unit sees
lit_up = torch.stack([torch.where(pixels, 0.35 * grey + 0.65 * tint, grey) for pixels in lit.values()])
captions = [f"{name}: {size}×{size}" for name, size in by_gradient.items()]
says = "What the unit sees is tinted: a square, two pixels wider a layer; with pools it covers most of the digit."
plots.images(lit_up, captions, "What one unit sees behind 3×3 convolutions", columns=4, finding=says)

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "Gradient, formula and library agree: 3, 5 and 7 pixels; with a 2×2 pool behind each, 22.",
    by_gradient == by_formula == by_library and list(by_gradient.values()) == [3, 5, 7, 22],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: two 3×3 see as much as one 5×5; which has fewer weights? 18 against 25 for each pair of maps;
# chapter 06 is built on it. Usual wrong answer: the same. -->

# %% [markdown]
# The library's `receptive_field` does the same arithmetic for any network, with branches and sums, and for height and
# width on their own. It also says where the field of a map's first unit starts. Here are the layers of LeNet-5, the
# network of 1998: two convolutions (C1, C3), each with a pool behind it (S2, S4), and C5, a fully connected layer
# written as a convolution.

# %%
seen = {part.name.upper(): part for part in receptive_field(lenet5()) if part.name}
for name, part in seen.items():
    print(f"{name}: {part.size[0]:2} pixels, step {part.step[0]}")

# %%
plots.fields(F.pad(images[1], [2] * 4), seen, "What one unit of each layer of LeNet-5 can see")

# %% [markdown]
# Walk through a deeper network yourself: VGG-16, which chapter 06 builds, reads images of 224×224 pixels. Pick a
# layer, move the frame, and follow the formula layer by layer. Then choose other networks of the course: how soon does
# a unit see the whole picture?

# %% slideshow={"slide_type": "slide"}
sides = {"vgg16": 224, "lenet": 32, "alexnet": 224, "zfnet": 224, "nin": 224, "googlenet": 224, "inception_v3": 299}
sides |= {"resnet18": 224, "resnet50": 224, "densenet121": 224, "mnasnet1_0": 224, "efficientnet_b0": 224}
with torch.device("meta"):  # no weights: the field does not ask for them
    networks = {name: (MODELS[name](), side) for name, side in sides.items()}
FieldLab(networks, images[1])

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which layer is the first that could know there is a loop in the nine? Go down layer by layer.
# Usual wrong answer: the first. It sees 3×3 of 224×224 pixels. -->

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "ResNet-18 stacks 16 convolutions of 3×3 behind its first; ResNet-50 stacks 48, of which 16 are 3×3 and 32 are 1×1."
    " Whose last units see more of the image?",
    {
        "ResNet-50, by far": "Put k = 1 into the formula. What does a 1×1 convolution add?",
        "they see about the same": "Which of the 48 layers count, and what else could make a difference?",
        "ResNet-18, by far": "Both have 16 windows of 3×3. What else stands in the formula?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Both networks are chapter 09's; only window and stride matter here. Usual wrong answer: the deeper
# one, by far. -->

# %% slideshow={"slide_type": "slide"}
taken = dict.fromkeys(["alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "densenet121"], 224)
taken = {"lenet5": 32} | taken | {"inception_v3": 299}
whole = {}
print("network        image   field   step")
for name, side in taken.items():
    with torch.device("meta"):
        whole[name] = receptive_field(MODELS[name]())[-1]
    size, step = whole[name].size[0], whole[name].step[0]
    print(f"{name:<14}{side:>6}{size:>8}{step:>7}   {'more than the image' if size > side else ''}".rstrip())

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how can a field be larger than the image? It hangs over the edge into the padding. Usual wrong
# answer: then it sees the image several times. -->

# %% [markdown]
# A 1×1 window adds nothing, so 16 windows of 3×3 count in both ResNets. They stand at different steps. (Both networks
# have four groups of layers, *stages*, at steps of 4, 8, 16 and 32 pixels.) ResNet-50 has two more in the third, at a
# step of 16 pixels, which add 64; it has one fewer in the last, at a step of 32, which takes 64 off. There remains the
# first stage: one fewer, at a step of 4. That is the 8 pixels.

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "ResNet-18 and ResNet-50 see about the same: 435 and 427 pixels.",
    [whole[name].size[0] for name in ("resnet18", "resnet50")] == [435, 427],
)

# %% [markdown]
# From GoogLeNet on, a unit of the last map could see more than there is. So does every unit look at everything? It
# may. A receptive field says what a unit *can* depend on. How much, is another question.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How much of it does a unit look at?
#
# Count the ways from a pixel up to the unit. From the corner of its field there is one. From the middle there are
# many.

# %% slideshow={"slide_type": "fragment"}
routes = torch.ones(1)
for _ in range(3):  # three layers with windows of three, in one dimension
    routes = F.conv1d(routes.view(1, 1, -1), torch.ones(1, 1, 3), padding=2).flatten()
    print(routes.int().tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Let them count the seven numbers of the last row by hand: each is the sum of three above it. Usual
# wrong answer: all pixels of the field count alike. -->

# %% [markdown]
# With random weights every way contributes a random amount, of either sign. Then the *square* of a pixel's slope is on
# average proportional to the number of ways. Now count in two dimensions and measure: random networks of 20
# convolutions with ReLU between them, and random images, from five seeds. How much of the squared gradient comes from
# the middle of the field, a little less than half as wide and half as high, a fifth of its pixels?


# %%
def middle(heat):
    """The middle part of a square map, a little less than half of each side."""
    half = (len(heat) - 3) // 4
    centre = len(heat) // 2
    return heat[centre - half : centre + half + 1, centre - half : centre + half + 1]


def count_ways(depth):
    ways = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for _ in range(depth):
        ways = F.conv2d(ways, torch.ones(1, 1, 3, 3, dtype=torch.float64), padding=2)
    return ways[0, 0]


# %%
def measured(depth, seed, channels=8):
    torch.manual_seed(seed)
    convs = [nn.Conv2d(channels if i else 1, channels, 3, bias=False) for i in range(depth)]
    for conv in convs:
        nn.init.kaiming_normal_(conv.weight)  # numbers that keep the signal's size through ReLU
    noise = torch.randn(16, 1, 2 * depth + 1, 2 * depth + 1, requires_grad=True)
    maps = noise
    for conv in convs[:-1]:
        maps = F.relu(conv(maps))
    (gradient,) = torch.autograd.grad(convs[-1](maps).sum(), noise)
    return gradient.square().mean((0, 1)).double()


# %% tags=["nbval-ignore-output"]
exact = {depth: count_ways(depth) for depth in (5, 20)}
drawn = [measured(20, seed) for seed in seeds]
inside = [float(middle(heat).sum() / heat.sum()) for heat in drawn]
corners = [float(heat[0, 0] / heat[20, 20]) for heat in drawn]

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
heats = [exact[5], exact[20], torch.stack([heat / heat.sum() for heat in drawn]).mean(0)]
captions = ["ways, 5 layers", "ways, 20 layers", "measured, 20 layers"]
plots.concentration(heats, [middle(heat) for heat in heats], captions, "Where a unit's squared gradient comes from")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how large is the bright spot compared with the field, and what becomes of that with depth?
# Usual wrong answer: it grows with the field. -->


# %%
def spread(heat):
    """Standard deviation of the distance from the middle, in pixels, to one side."""
    line = heat.sum(0) / heat.sum()
    return float((line * (torch.arange(len(line)) - len(line) // 2) ** 2).sum() ** 0.5)


spreads = {depth: spread(count_ways(depth)) for depth in (5, 20, 80)}
print({f"{depth} layers": (2 * depth + 1, round(value, 2)) for depth, value in spreads.items()})

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim("In each of five random networks the middle fifth has over 90 % of the squared gradient.", min(inside) > 0.9)
claim("A corner of the field has less than a ten thousandth of what the centre has.", max(corners) < 1e-4)
claim(
    "Four times the layers: nearly four times the field, but only twice the spread.",
    all(abs(spreads[4 * d] / spreads[d] - 2) < 1e-6 and 3.5 < (8 * d + 1) / (2 * d + 1) < 4 for d in (5, 20)),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: does training change this? It can: Luo and others saw the spot grow. The weights decide. Usual
# wrong answer: the field is the field. -->

# %% [markdown]
# The part that counts is called the *effective* receptive field. It grows only with the square root of the depth, a
# finding of Luo and others (2016), who also saw it widen during training. Strides and pools help more than layers:
# they multiply the step.

# %% [markdown]
# ## Two questions that students ask
#
# **How does today's LeNet differ from the LeNet-5 of 1998?** What is called LeNet today has max pools and ReLU, and
# for colour images three input channels. Four differences, each in a line of code (the *squashing function* of 1998 is
# a scaled tanh); chapter 04 trains both.

# %%
today, then = lenet(), lenet5()
torch.manual_seed(0)
six_maps = torch.randn(1, 6, 28, 28)
s2 = then.features.s2  # a pool with a coefficient and a bias for each map, then a squashing function
pool_then, squash = s2
with torch.no_grad():
    by_hand = 4 * F.avg_pool2d(six_maps, 2) * pool_then.weight[:, None, None] + pool_then.bias[:, None, None]
    order_then = (squash(pool_then(six_maps)) - pool_then(squash(six_maps))).abs().max()
    order_today = (F.relu(F.max_pool2d(six_maps, 2)) - F.max_pool2d(F.relu(six_maps), 2)).abs().max()
    with recording(then, "classifier.f6") as seen_by:
        outputs = then(F.pad(images[:2], [2] * 4))
    squares = (seen_by["classifier.f6"][:, None] - then.classifier.output.prototypes).square().sum(2)
read = today.features[3].weight[:, :, 0, 0].numel(), then.features.c3[0].weight.shape[0]  # pairs of maps
trained_pool, fixed = sum(p.numel() for p in s2.parameters()), then.classifier.output.prototypes.numel()

# %% tags=["claim"]
claim(
    "Pool: in 1998 the sum of four, times a coefficient, plus a bias, 12 trained numbers for 6 maps.",
    trained_pool == 12 and torch.allclose(pool_then(six_maps), by_hand, atol=1e-5),
)
claim("Second convolution: today all 96 pairs of maps are connected, in 1998 only 60.", read == (96, 60))
claim(
    "Order: max pool and ReLU can be exchanged; the pool of 1998 and the squashing function behind it cannot.",
    order_today == 0 and order_then > 0.1,
)
claim(
    "Output: in 1998 the distance to a fixed picture of each digit, 840 numbers set by hand.",
    fixed == 840 and torch.allclose(outputs, -squares, atol=1e-3),
)

# %% [markdown]
# On the order: in 1998 an activation (here: the squashing function, a scaled tanh) stood behind the pool *and* behind
# the convolution; today ReLU stands behind the convolution only. On the output: it is called a radial basis function.
# It is a layer, not a loss; today's output is linear, and its loss the cross-entropy (chapter 03). (The sign is
# turned round here, so that the nearest digit has the highest score.)
#
# **How can you add a layer's input to its output when the maps shrink?** Such a shortcut is the idea of ResNet
# (chapter 09). Here it is only a question of shapes. A block makes 16 maps of 14×14 from 6 maps of 28×28; what can be
# added to its output?

# %%
x = torch.randn(1, 6, 28, 28)
branch = nn.Conv2d(6, 16, 3, stride=2, padding=1)(x)  # 16 maps of 14×14
mix = nn.Conv2d(6, 16, 1, stride=2, bias=False)
second, mean, zeros = x[..., ::2, ::2], F.avg_pool2d(x, 2), [0, 0, 0, 0, 0, 10]  # zeros: ten channels more
shortcuts = {
    "every second pixel": second,
    "every second pixel, and zeros": F.pad(second, zeros),
    "average pool, and zeros": F.pad(mean, zeros),
    "1×1 convolution, stride 2": mix(x),
    "pixels into channels": F.pixel_unshuffle(x, 2),
}
for name, shortcut in shortcuts.items():
    fits = "  fits" if shortcut.shape == branch.shape else ""
    print(f"{name:<30} {'×'.join(map(str, shortcut.shape[1:]))}{fits}")

# %%
kept = nn.Conv2d(6, 6, 3, padding=1)(x)  # or let the branch keep the shape
enlarged = F.pad(F.pixel_shuffle(branch, 2), [0, 0, 0, 0, 0, 2])  # or enlarge it: 4 maps of 28×28, and two of zeros
fitting = [name for name, shortcut in shortcuts.items() if shortcut.shape == branch.shape]

# %% tags=["claim"]
claim("Three of them fit: with zeros, or with a 1×1 convolution.", len(fitting) == 3 and fitting[2].startswith("1×1"))
claim(
    "A 1×1 convolution with stride 2 reads every second pixel and no other.",
    torch.allclose(mix(x), F.conv2d(second, mix.weight), atol=1e-5),
)
claim(
    "Pixels into channels loses nothing: the way back gives the same numbers.",
    torch.equal(F.pixel_shuffle(shortcuts["pixels into channels"], 2), x),
)
claim("A branch with padding keeps the shape, and the input fits as it is.", kept.shape == x.shape)
claim("Or enlarge the block's output: channels into pixels, and two maps of zeros.", enlarged.shape == x.shape)

# %% [markdown]
# Every second pixel drops three of four, and zeros fill the missing channels; that needs no weights. The average pool
# looks at all four. The 1×1 convolution has $6 \cdot 16 = 96$ weights, but reads the same quarter of the pixels; it
# learns only how to mix their channels. Pixels into channels keeps everything, and fits a block with 24 maps. One can
# also enlarge the block's output; but then nothing shrinks any more.

# %% [markdown]
# ## Does it hold up?
#
# Four sentences that people say about this chapter's subject, each against what was measured. Take a side first.


# %%
totals = [[summary(net(p), (1, 32, 32))[-1].parameters for p in (True, False)] for net in (small_net, averaged)]

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Pooling makes a network invariant to small shifts.",
    max(pooled_ends) < 0.25,
    because="one pixel moves the outputs of a network with two pools by over a quarter; without pools by more",
)
verdict(
    "Pooling lowers the number of parameters.",
    [with_pools < without for with_pools, without in totals],
    because="18 times fewer where a fully connected layer reads the maps; none behind an average over each map",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote before showing the slide. Usual wrong answer: both hold. Ask what would have to be
# measured for a trained network; exercise: do it after chapter 03. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Most of the work of a network is done where its parameters are.",
    [done >= 0.5 for done in half.values()],
    because="the layers that hold half of the parameters do 1 to 19 % of the work, in all five networks",
)
verdict(
    "The receptive field is what a unit looks at.",
    all(share < 0.5 for share in inside),
    because="it is what a unit can look at; untrained, nearly all of the squared gradient comes from its middle",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: which of the four would you now say differently, and how? Usual wrong answer to the third: it
# holds, since every weight is one multiplication. -->

# %% [markdown]
# <details><summary>Further: why blurring helps</summary>
#
# A pool of stride 2 does two things: it looks at windows, and it keeps every second result. The windows soften the
# distance measured above; leaving results out hardly changes it. But it does something that this distance does not
# show: after one pixel the map is not the old one moved along, it is another one. Average over a wide window first,
# and what was left out is nearly what its neighbours say. R. Zhang (2019) puts such a blur before every stride of a
# network, and finds it steadier under shifts.
#
# </details>

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### How large is the pooled map?
#
# 5 minutes, ●○○
#
# Write `pooled_size`: a pool with windows of `window` pixels, `stride` apart, runs over a side of `size` pixels. How
# many numbers come out? `ceil` is True or False: with True a last window may hang over the edge, so that every pixel
# is looked at. The stride is at most the window; there is no padding.


# %%
def pooled_size(size, window, stride, ceil): ...


# %%
check(pooled_size)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_pooled_size(size, window, stride, ceil):
    steps, left_over = divmod(size - window, stride)
    return steps + 1 + (ceil and left_over > 0)


check(solution_pooled_size, of="pooled_size")

# %% [markdown]
# ### Max pooling by hand
#
# 10 minutes, ●●○
#
# Write `max_pool` with loops: `image` is one map, a tensor of rows × columns; the result is a tensor too. Windows
# that do not fit are left out. Do not use torch's own pool; `image[top:bottom, left:right]` cuts out a window, and
# `.max()` takes its largest number.


# %%
def max_pool(image, window, stride): ...


# %%
check(max_pool)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_max_pool(image, window, stride):
    rows, columns = ((side - window) // stride + 1 for side in image.shape)
    result = torch.empty(rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            result[i, j] = image[top : top + window, left : left + window].max()
    return result


check(solution_max_pool, of="max_pool")

# %% [markdown]
# ### Parameters behind maps
#
# 3 minutes, ●○○
#
# A fully connected layer takes `channels` maps of `side` × `side` and puts out `outputs` numbers. Write
# `linear_parameters`: how many parameters has it?


# %%
def linear_parameters(channels, side, outputs): ...


# %%
check(linear_parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_linear_parameters(channels, side, outputs):
    return (channels * side * side + 1) * outputs


check(solution_linear_parameters, of="linear_parameters")

# %% [markdown]
# ### From a unit down to its pixels
#
# 12 minutes, ●●○
#
# The chapter went from the image up. Go the other way. `layers` is a list of (window, stride, padding), the layer
# next to the image first. Write `pixels_seen`: the numbers of the first and the last pixel, along one side, that unit
# `unit` of the last map sees. Units and pixels are counted from 0; with padding the first pixel may be negative. Try
# one layer by hand: window 3, stride 2, no padding; unit 5 sees the pixels 10 to 12.


# %%
def pixels_seen(layers, unit): ...


# %%
check(pixels_seen)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_pixels_seen(layers, unit):
    first = last = unit
    for window, stride, padding in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + window - 1
    return first, last


check(solution_pixels_seen, of="pixels_seen")

# %% [markdown]
# ### An answer for every place
#
# 10 minutes, ●●○
#
# `linear` is a fully connected layer made for maps of `side` × `side`; `maps`, N×C×H×W, are at least that large.
# Write `answer_map`: what the layer says for every window, N×outputs×rows×columns. With loops or as a convolution.


# %%
def answer_map(linear, maps, side): ...


# %%
check(answer_map)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_answer_map(linear, maps, side):
    outputs, channels = len(linear.weight), maps.shape[1]
    kernels = linear.weight.view(outputs, channels, side, side)
    return torch.nn.functional.conv2d(maps, kernels, linear.bias)


check(solution_answer_map, of="answer_map")

# %% [markdown]
# ### Blind to a shift, not to the digit
#
# 15 minutes, ●●●
#
# Write `describe`: N×1×28×28 images, from 0 to 1, in; for each image equally many numbers out, in any shape. Moved by
# one pixel, in any of the four directions, the numbers may change by 0.35 at most, in the mean over the images and on
# the chapter's scale, where another digit is at 1 (plain pixels: 0.53). And they must still tell the digits apart:
# for 400 digits we look for the nearest of 1,000 others, and three of four must have the same label. There is more
# than one answer. One of them does not move at all, and it is no pool.


# %%
def describe(images): ...


# %%
check(describe)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_describe(images):
    # Averages over windows that overlap: 5×5, every second pixel.
    return torch.nn.functional.avg_pool2d(images, 5, 2, 2)


check(solution_describe, of="describe")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - A pool shrinks maps and, in the mean, softens their shifts; it has no parameters.
# - Convolutions do the work; large fully connected layers hold the parameters.
# - A receptive field grows by $k - 1$ steps a layer; strides multiply the step.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone for the field of three 3×3 convolutions with a 2×2 pool behind each: 22. -->

# %% [markdown]
# Questions that students ask, and where this chapter measured the answer:
#
# 1. *Does pooling reduce parameters?* "What a pool leaves alone", and the second verdict.
# 2. *How does today's LeNet differ from that of 1998?* "Two questions that students ask", the first.
# 3. *How can a shortcut be added when the maps shrink?* The second there.
#
# **Sources.** Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-Based Learning Applied to Document Recognition*,
# 1998: pools with trained coefficients, LeNet-5. W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the Effective
# Receptive Field in Deep Convolutional Neural Networks*, 2016, arXiv:1701.04128. R. Zhang, *Making Convolutional
# Networks Shift-Invariant Again*, 2019, arXiv:1904.11486: blurring before a stride. I. Goodfellow and others, *Maxout
# Networks*, 2013, arXiv:1302.4389. K. Simonyan, A. Zisserman, *Very Deep Convolutional Networks for Large-Scale Image
# Recognition*, 2014, arXiv:1409.1556: fully connected layers run as convolutions over larger images.
#
# **Next**, chapter 03: training, and the pixel-shuffle test. **Before**, chapter 01: convolution.
