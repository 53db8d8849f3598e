# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # ResNet
#
# Put more layers behind a good network. They need only copy what they are given, and nothing is lost. So can a deeper
# network be worse?

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: can it? Usual answer: on new images yes, it overfits. Keep the answer on the board; the question
# of this chapter is about the images that it has learned from. -->

# %% [markdown]
# This chapter takes about an hour; its code runs in a minute and a half. You need training (chapter 03), starts and
# the vanishing gradient (06), and it helps to have read GoogLeNet (08). You will leave able to build every ResNet from
# a table and two blocks; to say what a shortcut does to a gradient and what it does not; and to take a trained network
# apart and judge what the pieces tell.
#
# **✓** marks a sentence that the cell above it has just checked on your machine. Where you are asked for a prediction,
# commit to one before you run on. The exercises stand together at the end.

# %%
import copy
from math import comb

import torch
from torch import Generator, nn
from torch.nn import functional as F

# %%
from cnnlib import plots, records
from cnnlib.analysis import gradient_norms, recording, summary
from cnnlib.claims import Score, beats, claim, mean_accuracy, verdict
from cnnlib.course import check, predict, progress
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import degradation, lesions, running
from cnnlib.models import resnet18, resnet20_cifar, resnet50, vgg16
from cnnlib.models.resnet_cifar import preact_block
from cnnlib.training import default_device, evaluate, first_seed, train
from cnnlib.vision import torchvision
from cnnlib.widgets import LesionLab

device, seed = default_device(), first_seed()
torch.set_num_threads(1)  # nets as small as these are quicker on one core than on several that must agree

# %% [markdown]
# ## The question
#
# VGG stopped at 19 layers. Why not 56? The argument for it needs no measurement: take a trained network of 20 layers,
# put 36 behind it that pass on what they get, and you have one of 56 that does exactly what the 20 did. So the best
# network of 56 layers is at least as good as the best of 20, above all on the images it learns from.
#
# The argument is right. You will build that network below. What it does not say is whether training finds it. The
# contest: networks of 20 and of 56 layers, 2,000 images of clothes of 14×14 pixels, six passes, batch norm
# everywhere, He's start.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Twenty layers or fifty-six?
#
# The same 3×3 convolutions with batch norm, equal widths, one recipe. One net has 19 of them, the other 55.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "After six passes: which of the two has the lower loss on its training images, the 20 layers or the 56?",
    {
        "56: it has more weights to fit with": "Three times as many. Is a better fit found because it is there?",
        "20, since 56 layers overfit": "To overfit is to be too good on one kind of images. Which loss was asked for?",
        "20, for another reason": "Which? Write it down: vanishing gradients, too few passes, something else.",
        "about the same": "What would the 36 extra layers have to learn, to do neither harm nor good?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Collect votes with reasons. Usual wrong answer: 20 layers, from overfitting: that shows on new
# images, and the question was about those it learned from. -->

# %% [markdown]
# ## What came before, what was new, what was dropped
#
# Before it came batch norm (2015) and starts that keep a signal's size (Glorot 2010, He 2015); convolutions that
# halve the maps by their stride; the mean of each map in place of hidden matrices, from NiN. ResNet [1] uses all of
# these and invented none. Shortcuts were older, too; the paper names several. New was one without weights or gate:
# past every two or three layers the input itself runs along and is added to their output. With it the authors trained
# 152 layers and won the classification of 2015 with a top-5 error of 3.57 %, from six networks together [1]. What
# stayed: the sum. What its authors dropped within a year: the ReLU behind the sum [2].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The one idea
#
# Do not ask two layers for the whole answer. Ask them for what must be *added* to what came in. If nothing must be
# changed, zero is enough.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how many of 3·3·8·8 weights must be set to pass eight maps on unchanged? All: eight ones in the
# right places, zeros elsewhere. And with the sum? All zero. Usual wrong answer: passing on is what a layer does if
# one leaves it alone. -->

# %% slideshow={"slide_type": "fragment"}
steps = [("3×3", 8), ("3×3", 8)]
plots.block(8, steps, skip=True, title="A residual block: heights are numbers of maps")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. Ask: which of the two ways can be switched off by training? The lower one, with weights of zero. -->

# %% [markdown]
# The *branch* is the two layers, the *shortcut* the way past them, and both together are a *residual block*. In code:


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
class Residual(nn.Module):
    def __init__(self, branch, shortcut):
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x):
        return F.relu(self.branch(x) + self.shortcut(x))


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what must be equal so that two stacks of maps can be added? Height, width and their number.
# Usual wrong answer: height and width, as in GoogLeNet's stacking. -->


# %%
def conv(n, maps, side, stride=1):
    layer = nn.Conv2d(n, maps, side, stride, padding=side // 2, bias=False)
    return [layer, nn.BatchNorm2d(maps)]


def two(n, maps, stride):
    return nn.Sequential(*conv(n, maps, 3, stride), nn.ReLU(), *conv(maps, maps, 3))


class EverySecond(nn.Module):
    """Every second pixel where the branch halves the maps, and maps of zeros where it makes more."""

    def __init__(self, n, maps, stride):
        super().__init__()
        self.stride, self.more = stride, maps - n

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], [0, 0, 0, 0, 0, self.more])


# %% [markdown]
# `EverySecond` is the paper's *option A*. Where the shape stays, it is the identity. Two kinds of block, then, with
# the same convolutions, and not one weight of difference:


# %%
def plain(n, maps, stride):
    return nn.Sequential(two(n, maps, stride), nn.ReLU())


def residual(n, maps, stride):
    return Residual(two(n, maps, stride), EverySecond(n, maps, stride))


def network(depth, block, inputs=1, width=8):
    """A convolution, three stages of blocks, a classifier: 6k + 2 layers have k blocks a stage."""
    layers, n = [nn.Sequential(*conv(inputs, width, 3), nn.ReLU())], width
    for maps, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
        for place in range((depth - 2) // 6):
            layers.append(block(n, maps, 1 if place else stride))
            n = maps
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, 10))
    return start_like_he(nn.Sequential(nn.Sequential(*layers), head))


# %%
def start_like_he(net):
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return net


for depth in (20, 56):
    for block in (plain, residual):
        with torch.device("meta"):  # shapes without numbers
            net = network(depth, block)
        layers = sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in net.modules())
        print(f"{block.__name__:8} {layers} layers, {sum(p.numel() for p in net.parameters()):,} parameters")

# %% [markdown]
# ### Proof card
#
# Twice as wide and in three colours this is the paper's own ResNet-20 for small photographs. Ours against the
# library's, which is tested against the paper's numbers:

# %%
torch.manual_seed(0)
library, ours = resnet20_cifar().eval(), network(20, residual, inputs=3, width=16).eval()
ours.load_state_dict(dict(zip(ours.state_dict(), library.state_dict().values())))
photos = torch.randn(2, 3, 32, 32)
with torch.no_grad():
    both = ours(photos), library(photos)
small = {}
for depth in (20, 32, 44, 56, 110):
    with torch.device("meta"):
        small[depth] = sum(p.numel() for p in network(depth, residual, 3, 16).parameters())
print(small)

# %% tags=["claim"]
claim("From equal weights our ResNet-20 and the library's give equal logits.", torch.allclose(*both, atol=1e-5))
claim(
    "20, 32, 44, 56, 110 layers have 0.27, 0.46, 0.66, 0.85 and 1.7 million parameters, as the paper's table says.",
    [float(f"{count / 1e6:.2g}") for count in small.values()] == [0.27, 0.46, 0.66, 0.85, 1.7],
)

# %% [markdown]
# ## The contest
#
# `degradation` holds the experiment. First one pass of the plain net of 20 layers by hand:

# %% tags=["nbval-ignore-output"]
size = degradation.LIVE
part, _ = (images.to(device) for images in size.load())
normalize = Normalize(part)
torch.manual_seed(seed)
by_hand = network(20, plain).to(device, memory_format=torch.channels_last)  # as the experiment: equal rounding
batches = Batches(part, size.recipe.batch_size, [normalize], Generator(device).manual_seed(seed))
first_pass = next(train(by_hand, batches, size.recipe))
print(size.recipe, first_pass, sep="\n")

# %% [markdown]
# Now both plain nets in full, and then both with shortcuts: one seed of each. Ten seeds were recorded with the
# course. The loss is the mean over the last pass, taken while the net learns; measured afterwards it is lower.

# %% tags=["nbval-ignore-output"]
nets, runs = {}, {}
for arm in progress(["plain20", "plain56"]):
    nets[arm], record = degradation.trained(arm, seed, size, device)
    runs[arm] = [record]
    print(f"{arm}: training loss {record.loss:.2f}, training error {1 - record.epochs[-1]['accuracy']:.1%}")

# %% tags=["nbval-ignore-output"]
for arm in progress(["resnet20", "resnet56"]):
    nets[arm], record = degradation.trained(arm, seed, size, device)
    runs[arm] = [record]
    print(f"{arm}: training loss {record.loss:.2f}, training error {1 - record.epochs[-1]['accuracy']:.1%}")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
recorded = records.read_all(size.name)
names = {"plain20": "plain, 20", "plain56": "plain, 56", "resnet20": "ResNet-20", "resnet56": "ResNet-56"}
plots.learning(runs, recorded, names, 0.25, "Error on the training images")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Ask: who said 56? Who said overfitting? Which curve would one draw for overfitting? A low one, and
# beside it a high one for new images. Usual wrong answer: more passes will mend it; the chapter tries. -->

# %%
same_start = abs(first_pass.train.loss - runs["plain20"][0].epochs[0]["loss"])


# %%
def by_loss(arm, runs=recorded):
    """For `beats`: the lower the training loss, the better."""
    return [Score(run.seed, -run.loss) for run in runs[arm]]


gaps = [deep.loss - shallow.loss for shallow, deep in zip(recorded["plain20"], recorded["plain56"])]
mended = [deep.loss - shallow.loss for shallow, deep in zip(recorded["resnet20"], recorded["resnet56"])]
of_test = {arm: mean_accuracy(recorded[arm]) for arm in names}
of_training = {arm: sum(run.epochs[-1]["accuracy"] for run in recorded[arm]) / len(recorded[arm]) for arm in names}

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "The plain net of 56 layers fits its training images worse than the one of 20: by 0.3 of loss, at least.",
    min(run.loss for run in runs["plain56"]) > max(run.loss for run in runs["plain20"]) + 0.3,
)
claim(
    "With shortcuts 56 layers end at most 0.2 behind 20.",
    max(run.loss for run in runs["resnet56"]) < min(run.loss for run in runs["resnet20"]) + 0.2,
)
claim("Recorded, ten seeds: without shortcuts 56 layers are 0.5 behind, in each.", len(gaps) == 10 and min(gaps) >= 0.5)
claim("Recorded: with shortcuts 56 layers are at most 0.1 behind 20, in the mean.", sum(mended) / len(mended) <= 0.1)
claim("Recorded: at 56 layers the shortcut is worth 0.5 of loss.", beats(by_loss("resnet56"), by_loss("plain56"), 0.5))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: plain and residual nets have equal parameters; what does that exclude? That the shortcut helps
# by adding weights. Usual wrong answer: ResNet wins because it is larger. -->

# %% tags=["claim"]
claim("One pass by hand and one of the experiment reach the same loss.", same_start < 0.01)
claim(
    "Recorded: it is not overfitting. On its training images the deep plain net is as bad as on new ones, within "
    "five points.",
    abs(of_training["plain56"] - of_test["plain56"]) < 0.05,
)

# %% [markdown]
# In the mean of ten seeds the plain nets end at a training loss of 0.62<!-- degradation: plain20, loss, mean --> with
# 20 layers and of 1.49<!-- degradation: plain56, loss, mean --> with 56; a guess among ten has log 10 = 2.30. With
# shortcuts it is 0.34<!-- degradation: resnet20, loss, mean --> and 0.32<!-- degradation: resnet56, loss, mean -->.
# The paper calls it *degradation*: with more layers the *training* error rises. (Your run of the deep plain net may
# end elsewhere than the recorded one of its seed, even outside the ten. Another processor rounds otherwise, and this
# net seems to mind; the nets with shortcuts end near their records.)
#
# ### The network that training does not find
#
# Is 56 layers too much for the task, then? Build the one of the argument: the trained plain net of 20, and in each
# stage six blocks more, whose convolutions copy: a one in the middle of the kernel that leads from a map to the same
# map, zeros elsewhere. What goes in is never negative, so ReLU lets it pass. Batch norm would change what passes; so
# its scale and shift are set to the deviation and the mean that it takes away.


# %%
def passes_on(norm, inputs):
    """Scale and shift that give back the deviation and the mean that the norm takes away."""
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3), unbiased=False)
    norm.running_mean, norm.running_var = mean, variance
    norm.weight.data, norm.bias.data = (variance + norm.eps).sqrt(), mean


# %%
@torch.no_grad()
def deeper(net, extra, images):
    deep, hooks = copy.deepcopy(net).eval(), []
    for stage in deep.features[1:]:
        for _ in range(extra):
            stage.append(copy.deepcopy(stage[-1]))
            for layer in stage[-1].modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.dirac_(layer.weight)
                elif isinstance(layer, nn.BatchNorm2d):
                    hooks.append(layer.register_forward_pre_hook(passes_on))
    deep(images)  # each new norm sees what comes, before it passes it on
    for hook in hooks:
        hook.remove()
    return deep


# %% tags=["nbval-ignore-output"]
nets["copying"] = deeper(nets["plain20"], 6, normalize(part.pixels))
fits = {arm: evaluate(net, Batches(part, 500, [normalize])) for arm, net in nets.items()}
weights = {arm: sum(p.numel() for p in net.parameters()) for arm, net in nets.items()}
shapes = {arm: [p.shape for p in net.parameters()] for arm, net in nets.items()}
for arm in ("plain20", "copying", "plain56"):
    print(f"{arm:8} {weights[arm]:7,} parameters, loss on its training images {fits[arm].loss:.3f}")


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def while_training(net):
    """The mean loss over batches of 64 in training mode, where descent works."""
    net = copy.deepcopy(net).train()
    batches = Batches(part, 64, [normalize])
    return sum(F.cross_entropy(net(pixels), labels).item() for pixels, labels in batches) / len(batches)


modes = {arm: while_training(nets[arm]) for arm in ("plain20", "copying")}
print("in training mode:", {arm: round(loss, 3) for arm, loss in modes.items()})

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "There is a plain net of 56 layers with the loss of the 20.",
    abs(fits["copying"].loss - fits["plain20"].loss) < 1e-3,
)
claim("In training mode, too, where descent works.", abs(modes["copying"] - modes["plain20"]) < 0.02)
claim(
    "It has the same shape as the one that was trained, and its loss is lower by 0.2, at least.",
    shapes["copying"] == shapes["plain56"] and fits["plain56"].loss > fits["copying"].loss + 0.2,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: so what is wrong with 56 layers? Not what they can do; what training makes of them. Usual wrong
# answer: they are not able to. -->

# %% [markdown]
# So the better weights exist. Gradient descent, with this recipe, does not find a loss like theirs.
#
# ### A matter of the recipe?
#
# One rate was used for all. Perhaps a deep plain net wants shorter steps, or more of them. Recorded: both plain nets
# with a third of the rate, and with twice the passes, three seeds each.

# %% tags=["nbval-ignore-output"]
long = records.read_all(degradation.LONG.name)
tried = {"as above": recorded, "a third of the rate": recorded, "12 passes": long}
endings = dict(zip(tried, ("", "-third", "")))
apart = {}
for what, runs_of in tried.items():
    pair = [by_loss(f"{net}{endings[what]}", runs_of) for net in ("plain20", "plain56")]
    apart[what] = beats(*pair, by=0.3)
    of_20, of_56 = (-mean_accuracy(scores) for scores in pair)
    print(f"{what:20} training loss: 20 layers {of_20:.2f}, 56 layers {of_56:.2f}")

# %% tags=["claim"]
claim("Recorded: with a third of the rate the deep plain net is behind, too, by 0.3.", apart["a third of the rate"])
claim("Recorded: twice the passes do not close the gap: 0.3 is left, at least.", apart["12 passes"])

# %% [markdown]
# A third of the rate is worse for 20 layers; for 56 three seeds do not decide it. The gap stays in each case. A short
# training is not a law. The paper's plain nets learned for 64,000 steps of 128 photographs, and the gap was there,
# too: their plain net of 110 layers had more than 60 % of error [1].
#
# ### And on photographs?
#
# Perhaps it lies with small clothes, or with one rate for all four nets. So the four once more, as wide as in the
# paper, on 15,000 photographs of CIFAR-10 (chapter 04), with 5,000 others of its training photographs to choose by:
# three passes, one run of each net at each of three rates.

# %%
by_rate = running.tried(degradation.CHOICE, degradation.RATES)
losses = {arm: [by_rate[arm][rate][0].loss for rate in degradation.RATES] for arm in names}
rivals = [arm for arm in names if arm != "plain56"]
others = {arm: [by_rate[arm][rate][0].accuracy for rate in degradation.RATES] for arm in names}
rates = [rate * degradation.CHOICE.recipe.learning_rate for rate in degradation.RATES]
for what, by_net, form in (("training loss", losses, "8.2f"), ("of the others named", others, "8.1%")):
    print(f"{what + ', at a rate of':36}", *(f"{rate:8.2f}" for rate in rates))
    for arm, name in names.items():
        print(f"{name:36}", *(f"{value:{form}}" for value in by_net[arm]))

# %% tags=["claim"]
claim(
    "Recorded, on photographs, one run each: at none of three rates does the plain net of 56 layers end below a "
    "training loss of 1.8; each of the other three ends below 1.7 at all of them.",
    min(losses["plain56"]) > 1.8 and max(max(losses[arm]) for arm in rivals) < 1.7,
)
claim(
    "With shortcuts both depths end below a loss of 1.35 at each rate.",
    max(losses["resnet20"] + losses["resnet56"]) < 1.35,
)
claim(
    "The deep plain net names fewer than 35 in a hundred of the others, each other net more than 38, at every rate.",
    max(others["plain56"]) < 0.35 and min(min(others[arm]) for arm in rivals) > 0.38,
)

# %% [markdown]
# Three passes are a beginning, and one run is one run. The deep plain net has come from the 2.30 of a guess to 1.88 at
# best. It and ResNet-20 are best at the highest rate that was tried; a higher one may suit them better. But the gap is
# there on other images, in nets of twice the width, and at each of three rates: it needs neither the clothes nor one
# unlucky rate.
#
# Now all 50,000 training photographs, eight passes, one run each. Each net has the rate at which it named most of the
# 5,000 others. The 10,000 test photographs, the new ones below, chose nothing.

# %%
photographs = running.at_best_rates(degradation.CIFAR, degradation.CHOICE, degradation.RATES)
own = {arm: photographs[arm][0].epochs[-1]["accuracy"] for arm in names}
new = {arm: photographs[arm][0].accuracy for arm in names}
for arm, name in names.items():
    rate = photographs[arm][0].recipe["learning_rate"]
    wrong = f"{1 - own[arm]:5.1%} of its own in the last pass, {1 - new[arm]:5.1%} of new ones"
    print(f"{name:10} at {rate:.2f}: wrong {wrong}")
plots.learning({}, photographs, names, 0.2, "How many of its own 50,000 photographs each net gets wrong")

# %% tags=["claim"]
claim(
    "Recorded, in the eighth pass: the plain net of 56 layers gets more than three in ten of its own photographs "
    "wrong, each of the other three fewer than two in ten.",
    own["plain56"] < 0.7 and min(own[arm] for arm in rivals) > 0.8,
)
claim(
    "Of new photographs it names fewer than two in three, each of the other three more than three in four.",
    new["plain56"] < 2 / 3 and min(new[arm] for arm in rivals) > 3 / 4,
)

# %% [markdown]
# So nine times the steps, on three times the photographs, do not bring the deep plain net to the shallow one: it reads
# 59.3 %<!-- degradation-cifar10: plain56, mean --> of new photographs, the shallow one 79.0 %<!--
# degradation-cifar10-rate-0.3: plain20, mean -->. It gets about as many of its own wrong as of new ones: it does not
# overfit. How far it would come in a hundred passes we have not measured. With shortcuts both depths learn, and read
# 81.1 %<!-- degradation-cifar10: resnet20, mean --> (20 layers) and 80.3 %<!-- degradation-cifar10-rate-0.3: resnet56,
# mean --> (56). Which of the two is better these runs do not say: one run each, at two rates, and two photographs of
# 5,000 chose the rate of the deeper one.
#
# (To train them anew: `python -m cnnlib run degradation --size cifar --arms plain56 resnet20 --folder FOLDER`, then
# `plain20 resnet56` with `--rate 0.3`: two and a half hours of one processor core. The table: `--size choice --arms
# plain20 plain56 resnet20 resnet56 --folder FOLDER`, also with `--rate 0.3` and `--rate 0.1`, in one hour more.
# Without `--folder`, what is recorded is not trained again.)
#
# ## Is it the gradient that vanishes?
#
# "The gradient shrinks on its way back, the shortcut carries it." So it is told. Where would it shrink? A sigmoid's
# slope is at most a quarter:

# %%
x = torch.tensor([0.0, 1.0, 4.0], requires_grad=True)
(slopes,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
print("slope of the sigmoid at 0, 1 and 4:", ", ".join(f"{value:.4f}" for value in slopes))


# %%
class Plus(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


def connected(activation, start, past=nn.Identity, layers=20, width=64):
    """Fully connected layers; `past` may lead a shortcut past each of the middle ones."""
    rows, n = [nn.Flatten()], 14 * 14
    for k in range(layers - 1):
        linear = nn.Linear(n, width)
        start(linear.weight)
        layer, n = nn.Sequential(linear, activation()), width
        rows.append(Plus(layer) if k and past is Plus else layer)
    return nn.Sequential(*rows, nn.Linear(n, 10))


# %% [markdown]
# Five networks of twenty layers before their first step, and two of 56. How strongly does the loss pull at each
# layer's weights?

# %%
glorot, he = nn.init.xavier_normal_, nn.init.kaiming_normal_
kinds = {
    "sigmoid": lambda: connected(nn.Sigmoid, glorot),
    "sigmoid, shortcuts": lambda: connected(nn.Sigmoid, glorot, Plus),
    "ReLU, He's start": lambda: connected(nn.ReLU, he),
    "plain, batch norm": lambda: network(20, plain),
    "ResNet-20": lambda: network(20, residual),
}

# %% slideshow={"slide_type": "slide"} jupyter={"source_hidden": true}
predict(
    "Twenty layers before any training: in which of them does the loss hardly pull at the first layer?",
    {
        "in all without shortcuts": "Three of them have none. What do He's start and batch norm do for a signal?",
        "in the plain one with sigmoids": "By what factor does a sigmoid shrink what passes? What do others have?",
        "in none": "What do nineteen slopes multiply to, in each of them?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Usual wrong answer: in all without shortcuts, for that is what shortcuts are said to be for. -->

# %% tags=["nbval-ignore-output"]
few, answers = normalize(part.pixels[:64]), part.labels[:64]


def pulls(make, seed):
    torch.manual_seed(seed)
    return [norm for _, norm in gradient_norms(make().to(device), few, answers)]


deep = {"plain, 56 layers": lambda: network(56, plain), "ResNet-56": lambda: network(56, residual)}
found = {name: [pulls(make, seed + k) for k in range(3)] for name, make in (kinds | deep).items()}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
shown = {name: found[name][0] for name in kinds}
plots.by_layer(
    shown,
    [str(k) for k in range(1, 21)],
    "pull on the weights (norm)",
    "How strongly the loss pulls, before the first step",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which curve vanishes to the left? One. Which of the five are the paper's plain nets like? The
# fourth. Usual wrong answer: the plain net's does; it grows. -->

# %% tags=["nbval-ignore-output"]
# How much more the first layer is pulled than the last but one (behind the last there is no norm). The first is
# smaller and its weights are shorter: behind a norm that alone makes a factor of about six.
back = {name: [line[0] / line[-2] for line in lines] for name, lines in found.items()}
for name, ratios in back.items():
    print(f"{name:20} three starts: {', '.join(f'{ratio:.2g}' for ratio in ratios)}")

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "Sigmoids: the first layer is pulled less than a billionth as strongly as the last but one.",
    max(back["sigmoid"]) < 1e-9,
)
claim("With shortcuts past them: more than a hundredth.", min(back["sigmoid, shortcuts"]) > 0.01)
claim("ReLU from He's start: within a factor of 20.", all(1 / 20 < r < 20 for r in back["ReLU, He's start"]))
claim(
    "Plain with batch norm and 56 layers the first is pulled over a hundred times as strongly.",
    min(back["plain, 56 layers"]) > 100,
)
claim("With shortcuts past the 56: within a factor of 50.", all(1 / 50 < r < 50 for r in back["ResNet-56"]))

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: so does a shortcut help the gradient? Yes: twice. It mends the vanishing of sigmoids and the
# growth of batch norm. Usual wrong answer: then degradation is vanishing. The net that degrades is not one in which
# it vanishes. -->

# %% [markdown]
# That was before the first step. And when training is over? The four nets from above are still there:

# %% tags=["nbval-ignore-output"]
later, longer = {}, {}
for arm, name in (("plain56", "plain, 56 layers"), ("resnet56", "ResNet-56")):
    line = [norm for _, norm in gradient_norms(nets[arm], few, answers)]
    later[name] = line[0] / line[-2]
    torch.manual_seed(seed)
    lengths = [next(net.parameters()).norm().item() for net in (deep[name](), nets[arm])]
    longer[name] = lengths[1] / lengths[0]
    print(f"{name}: first over last but one, at the start {back[name][0]:.3g}, trained {later[name]:.2g};", end=" ")
    print(f"the first layer's weights are {longer[name]:.1f} times as long")

# %% tags=["claim"]
claim("Trained, the plain net's pull on its first layer is no billionth, either.", later["plain, 56 layers"] > 1e-3)
claim(
    "The ratio of the pulls fell by more than the weights grew.",
    back["plain, 56 layers"][0] / later["plain, 56 layers"] > longer["plain, 56 layers"],
)
claim(
    "Training made its first layer's weights over five times as long; not with shortcuts.",
    longer["plain, 56 layers"] > 5 > longer["ResNet-56"],
)

# %% [markdown]
# The story is true of sigmoids. In the net that degrades, nothing vanishes before the first step: the pull on its
# first layer is the *stronger* one. Training stretches the weights there, and behind a batch norm weights k times as
# long are pulled k times less. That is the smaller part: the ratio fell more than the weights grew. The rest lies in
# what the weights have become, not in their length; why, we have not measured. What is left in the end is printed
# above: less than at the start by far, and far from nothing. These are two moments; between them we did not look. The
# paper found "healthy norms" and wrote that the difficulty is "unlikely to be caused by vanishing gradients" [1].
# Whether the violent start is the cause, we have not tested. The authors guess at a very slow convergence and leave
# the reason open [1]. So do we.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## “The slope is F′ + 1, so it cannot vanish”
#
# H(x) = F(x) + x has the slope F′ + 1: never below 1, it is said. And if F′ is negative?


# %%
def slope(function):
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(function(x), x)[0].item()


def ten_blocks(x):
    for _ in range(10):
        x = x + (-0.9 * x)
    return x


drawn = torch.randn(10_000, generator=Generator().manual_seed(0))  # slopes F′, standard normal
below = ((1 + drawn).abs() < 1).float().mean().item()
slopes = [slope(lambda x: x + (-x)), slope(ten_blocks), slope(lambda x: F.relu(x + (-3 - 0 * x)))]
print("F = −x:", slopes[0], f"  ten blocks of F′ = −0.9: {slopes[1]:.0e}", "  ReLU of a sum below 0:", slopes[2])
print(f"of 10,000 random slopes F′ {below:.0%} make |F′ + 1| smaller than 1")

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim(
    "With F(x) = −x the slope of the block is 0; ten blocks with F′ = −0.9 leave 10⁻¹⁰.",
    slopes[0] == 0 and 0.9e-10 < slopes[1] < 1.1e-10,
)
claim("The ReLU behind the sum makes it 0 wherever the sum is negative.", slopes[2] == 0)
claim("Of slopes F′ from a standard normal nearly half make the block's slope smaller than 1.", 0.45 < below < 0.5)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask for an F with H′ = 0. F(x) = -x. Usual wrong answer: F′ is positive, or small. -->

# %% [markdown]
# What is true, then? For maps the slope is a table (the *Jacobian*): how each number that comes out changes with each
# that goes in. Two plain layers have the product of two tables. Two residual blocks, without the ReLU behind their
# sums, have (I + J₂)(I + J₁), where the identity I is the shortcut's table. Multiply it out, and run it:

# %%
generator = Generator().manual_seed(0)
matrices = [torch.randn(4, 4, dtype=torch.float64, generator=generator) for _ in range(2)]
branches = [lambda x, m=m: torch.tanh(m @ x) for m in matrices]
point = torch.randn(4, dtype=torch.float64, generator=generator)
jacobian, identity = torch.autograd.functional.jacobian, torch.eye(4, dtype=torch.float64)
middle = point + branches[0](point)
j1, j2 = jacobian(branches[0], point), jacobian(branches[1], middle)
whole = jacobian(lambda x: (x + branches[0](x)) + branches[1](x + branches[0](x)), point)

# %% tags=["claim"]
claim("The Jacobian of two residual blocks is I + J₁ + J₂ + J₂J₁.", torch.allclose(whole, identity + j1 + j2 + j2 @ j1))

# %% [markdown]
# So the gradient is a *sum* of products, one of which has no factors at all: the identity. A plain net's gradient is
# one product of all factors. For a sum to be small its parts must cancel; for a product, small factors are enough.
# That is the true content. It is no lower bound. The ReLU of 2015 sets rows of every table to 0, those of the
# identity as well.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where the shape changes
#
# The paper draws a shortcut *solid* where the shape stays, and *dashed* where the map is halved and the number of
# maps doubled. A dashed one must change its shape, too.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: 16 maps of 14×14 go in, 32 of 7×7 come out; how do you add the input? Collect proposals: skip
# pixels, average, a 1×1 convolution. Usual wrong answer: dashed lines change only the number of maps. -->

# %% [markdown]
# Four ways. *A*: every second pixel, and maps of zeros. *B*: a 1×1 convolution with stride 2 and batch norm, there
# only. *C*: such a convolution at every block, even where the shape stays. And *space-to-depth*, which the paper does
# not use: each square of 2×2 pixels becomes one pixel in four maps; a 1×1 convolution then mixes the maps, four times
# as many.


# %%
def option_b(n, maps, stride):
    return nn.Identity() if stride == 1 and n == maps else nn.Sequential(*conv(n, maps, 1, stride))


def option_c(n, maps, stride):
    return nn.Sequential(*conv(n, maps, 1, stride))


def unfolded(n, maps, stride):
    if stride == 1:
        return option_b(n, maps, 1)
    return nn.Sequential(nn.PixelUnshuffle(2), *conv(4 * n, maps, 1))


options = {"A": EverySecond, "B": option_b, "C": option_c, "space-to-depth": unfolded}

# %%
torch.manual_seed(0)
counts, read = {}, {}
for name, option in options.items():

    def block(n, maps, stride, option=option):
        return Residual(two(n, maps, stride), option(n, maps, stride))

    net = network(20, block, 3, 16)
    counts[name] = sum(p.numel() for p in net.parameters())
    pixels = torch.randn(1, 4, 8, 8, requires_grad=True)
    option(4, 8, 2).eval()(pixels).square().sum().backward()
    read[name] = (pixels.grad.abs().sum((0, 1)) > 0).float()
    more = counts[name] - counts["A"]
    print(f"{name:15}{counts[name]:8,} parameters, {more:6,} more than A; reads {read[name].mean():.0%} of the pixels")

# %%
plots.maps(list(read.values()), list(read), "Which pixels a dashed shortcut reads")

# %% [markdown]
# B and C have weights, and see no more than A: a 1×1 with stride 2 looks at every second pixel of each row and
# column.

# %% tags=["claim"]
claim(
    "A, B and C read every fourth pixel; space-to-depth reads all.",
    [round(sheet.mean().item(), 2) for sheet in read.values()] == [0.25] * 3 + [1],
)
claim(
    "In ResNet-20 B adds 2,752 parameters to A's 269,722, and C 14,240.",
    [counts[name] - counts["A"] for name in "BC"] == [2752, 14240] and counts["A"] == 269_722,
)

# %% tags=["claim"]
claim(
    "Recorded, three seeds: on the clothes C ends behind A, by 0.1 of training loss.",
    beats(by_loss("resnet20"), by_loss("resnet20-c"), 0.1),
)

# %% [markdown]
# Between A and B three seeds show no difference in training loss; on new clothes B is ahead in all three, by 1.4
# points in the mean: 14 clothes of 1,000. On ImageNet the paper's net of 34 layers had 25.03 % of top-1 error with A,
# 24.52 % with B and 24.19 % with C [1], ten crops an image. For its deeper nets there it took B: C's gain did not seem
# worth its weights. For small photographs it took A, so that plain and residual nets have equal weights, as here. Here
# C comes out last. With it no block has an identity left; whether that is the reason we have not measured.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two blocks, five networks
#
# 18 and 34 layers: two 3×3. 50, 101 and 152: the *bottleneck*, 1×1 to fewer maps, 3×3 on these, 1×1 back to four
# times as many.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: where did you see a 1×1 before a costly 3×3? GoogLeNet. What is new is the 1×1 behind it. Usual
# wrong answer: a bottleneck is for accuracy; it is for cost. -->


# %% tags=["show-code"] slideshow={"slide_type": "slide"}
def basic(n, width, stride):
    shortcut = option_b(n, width, stride)
    return Residual(two(n, width, stride), shortcut)


def bottleneck(n, width, stride):
    branch = nn.Sequential(
        *conv(n, width, 1), nn.ReLU(),
        *conv(width, width, 3, stride), nn.ReLU(),
        *conv(width, 4 * width, 1),
    )  # fmt: skip
    return Residual(branch, option_b(n, 4 * width, stride))


# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: where is the stride? On the 3×3: so torchvision and this course. The paper's was on the first
# 1×1, which then skips three of four pixels. -->

# %%
TABLE = {  # depth: blocks in the four stages, kind of block, convolutions in it, maps out for each map of its width
    18: ((2, 2, 2, 2), basic, 2, 1),
    34: ((3, 4, 6, 3), basic, 2, 1),
    50: ((3, 4, 6, 3), bottleneck, 3, 4),
    101: ((3, 4, 23, 3), bottleneck, 3, 4),
    152: ((3, 8, 36, 3), bottleneck, 3, 4),
}


# %%


def resnet(depth, classes=1000):
    blocks, block, _, expansion = TABLE[depth]
    layers, n = [*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)], 64
    for stage, count in enumerate(blocks):
        for place in range(count):
            layers.append(block(n, 64 * 2**stage, 2 if stage and not place else 1))
            n = expansion * 64 * 2**stage
    return nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, classes))


# %%
sizes, biases = {}, {}
for depth, (blocks, _, convolutions, _) in TABLE.items():
    with torch.device("meta"):
        net = resnet(depth)
    sizes[depth] = summary(net, (3, 224, 224))[-1]
    biases[depth] = sum(layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d))
    layers = f"1 + {convolutions}·({' + '.join(map(str, blocks))}) + 1 = {2 + convolutions * sum(blocks)}"
    print(f"{layers:33}{sizes[depth].parameters:11,} parameters{sizes[depth].macs:15,} multiply-adds")

# %%
with torch.device("meta"):
    vgg = summary(vgg16(), (3, 224, 224))[-1]
print(f"VGG-16, for comparison: {vgg.parameters:,} parameters, {vgg.macs:,} multiply-adds")

# %% [markdown]
# Equal counts prove little. Equal outputs from equal weights, with the library's and with torchvision's:

# %%
torch.manual_seed(0)
photo, equal = torch.randn(1, 3, 64, 64), {}
for depth, library in ((18, resnet18), (50, resnet50)):
    reference = getattr(torchvision().models, f"resnet{depth}")().eval()
    for name, theirs in (("library", library().eval()), ("torchvision", reference)):
        net = resnet(depth).eval()
        net.load_state_dict(dict(zip(net.state_dict(), theirs.state_dict().values())))
        with torch.no_grad():
            equal[depth, name] = torch.allclose(net(photo), theirs(photo), rtol=1e-3, atol=1e-3)
print(equal)

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "ResNet-18 and ResNet-50, built here, give the logits of the library's and of torchvision's.",
    all(equal.values()),
)
claim(
    "From 11.7 to 60.2 million parameters; ResNet-50, with bottlenecks, has more than ResNet-34.",
    [round(total.parameters / 1e6, 1) for total in sizes.values()] == [11.7, 21.8, 25.6, 44.5, 60.2],
)
claim(
    "From 1.8 to 11.5 billion multiply-adds; even with 152 layers fewer than VGG-16.",
    [round(total.macs / 1e9, 1) for total in sizes.values()] == [1.8, 3.7, 4.1, 7.8, 11.5]
    and sizes[152].macs < vgg.macs,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: what does the depth count? Layers with weights on the main path; not the shortcuts'. Usual
# wrong answer: all convolutions. -->

# %% [markdown]
# ### 16.94 times fewer?
#
# "A bottleneck has 16.94 times fewer weights than two 3×3." Both sides of that quotient can be run. On 256 maps:


# %%
def weights_of(block):
    return sum(p.numel() for p in block.branch.parameters() if p.ndim == 4)


with torch.device("meta"):
    pair = {"two 3×3 on 256 maps": basic(256, 256, 1), "two 3×3 on 64 maps": basic(64, 64, 1)}
    pair["bottleneck on 256 maps"] = bottleneck(256, 64, 1)
weights = {name: weights_of(block) for name, block in pair.items()}
for name, count in weights.items():
    print(f"{name:24}{count:10,} weights, {count / weights['bottleneck on 256 maps']:5.2f} times the bottleneck's")

# %% tags=["claim"]
claim(
    "16.94 compares two blocks on 256 maps. The paper draws the bottleneck beside two 3×3 on 64: 1.06.",
    [round(count / 69_632, 2) for count in weights.values()] == [16.94, 1.06, 1],
)

# %% [markdown]
# ResNet-34 has two 3×3 on 256 maps as well, but in its third stage; this bottleneck stands in the first, where the
# other nets have two 3×3 on 64. So only the second pair stands in one place. Of it the paper says that both cost
# about the same [1]: for the price of two 3×3 on 64 maps one gets three layers and four times the maps.
#
# ### A listing that stops, and one for small images
#
# A widely copied listing of the five networks asks each block for its `expansion` (1 or 4, the last column of our
# table), and its block of two convolutions has none: 18 and 34 stop with an `AttributeError`. It also leaves the
# convolutions their biases, in front of a batch norm, which subtracts the mean and so takes any bias away. How many
# is that? And another listing ports ResNet-18 to images of 32×32: a first 3×3 with stride 1, and no pool.

# %%
with torch.device("meta"):
    ported = resnet(18, classes=10)
    ported[0] = nn.Sequential(*conv(3, 64, 3), nn.ReLU(), *ported[0][4:])
trainable = sum(p.numel() for p in ported.parameters())
statistics = sum(b.numel() for name, b in ported.named_buffers() if "running" in name)
print("biases for nothing:", biases)
print(f"ResNet-18 for small images: {trainable:,} parameters, and {statistics:,} means and variances of batch norm")

# %% tags=["claim"]
claim("4,800 to 75,712 biases for nothing.", list(biases.values()) == [4_800, 8_512, 26_560, 52_672, 75_712])
claim(
    "The port has 11,173,962 parameters, and 9,600 numbers that batch norm measures.",
    (trainable, statistics) == (11_173_962, 9_600),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many ways through
#
# At every block the signal can go through the branch or past it. Two blocks make four ways, n blocks 2ⁿ. How long are
# they?

# %%
ways = {n: [comb(n, length) for length in range(n + 1)] for n in (2, 15, 54)}
share = sum(ways[54][19:36]) / 2**54
print("two blocks, ways through 0, 1, 2 of them:", ways[2])
print(f"54 blocks (ResNet-110): 2^54 = {2**54:,} ways; {share:.1%} of them go through 19 to 35 blocks")

# %% [markdown]
# Is the network the *sum* of these ways, then? Take two blocks without batch norm and ReLU between them. First with
# branches that are matrices, then with a tanh in each:

# %%
linear = [lambda x, m=m: m @ x for m in matrices]


def apart_from_the_ways(f, g):
    """How far two blocks are from the sum of their four ways."""
    whole = (point + f(point)) + g(point + f(point))
    return (whole - (point + f(point) + g(point) + g(f(point)))).abs().max().item()


off = apart_from_the_ways(*linear), apart_from_the_ways(*branches)
print(f"matrices: off by {off[0]:.1f}; with tanh: off by {off[1]:.1f}")

# %% tags=["claim"] slideshow={"slide_type": "fragment"}
claim("Of the ways through 54 blocks 98.0 % use 19 to 35 of them.", f"{share:.1%}" == "98.0%")
claim(
    "For matrices two blocks are the sum of their four ways. With tanh they are not.",
    off[0] < 1e-9 and off[1] > 0.01,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Draw two blocks and let someone trace the four ways. Ask: of 54 blocks, how many does a typical way
# use? 27. Usual wrong answer: all of them are equally frequent, from 0 to 54. -->

# %% [markdown]
# So "2ⁿ networks in one" is a count of products in the *gradient*, where it is exact for such blocks, as you saw. For
# the output it is a picture. The ways share their weights, and none was trained on its own. Whether the picture is of
# use, a knife can tell.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Taking blocks out
#
# Three nets of 15 blocks learn digits: ResNet-32, the same without shortcuts, one like VGG. Then one block is taken
# out, and what came into it is passed on.

# %% slideshow={"slide_type": "fragment"} jupyter={"source_hidden": true}
predict(
    "Take one block out of the last stage of each, and train nothing. Who still reads digits?",
    {
        "all three": "What does the next layer of a plain net expect to be given?",
        "none": "What does a residual block leave behind when its branch is gone?",
        "the ResNet": "What would let its next layer do without the block? And without three, or half of them?",
        "the ResNet and VGG": "VGG's layers are fewer. Does that make each of them easier to miss?",
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Let them argue for VGG. Usual wrong answer: the plain nets lose one layer in many, so a little. -->

# %% tags=["nbval-ignore-output"]
cut_size = lesions.LIVE
whole_nets, cut_runs = {}, {}
whole_nets["resnet"], record = lesions.trained("resnet", seed, cut_size, device)
cut_runs["resnet"] = [record]
print(f"{record.parameters:,} parameters, {record.accuracy:.1%} of {len(cut_size.load()[1])} new digits")

# %% tags=["nbval-ignore-output"]
whole_nets["plain"], record = lesions.trained("plain", seed, cut_size, device)
cut_runs["plain"] = [record]
digits_learned, digits_new = (images.to(device) for images in cut_size.load())
print(f"{record.parameters:,} parameters, {record.accuracy:.1%} of {len(digits_new)} new digits")

# %% [markdown]
# By hand first. Blocks are numbered from 0 to 14, five in each stage. Number 12 is the third of the last. (Blocks 5
# and 10 change the shape: in their place option A passes the input on. A block like VGG's is one convolution.)


# %% tags=["nbval-ignore-output"]
prepare = [Normalize(digits_learned)]


def right(net):
    return evaluate(net, Batches(digits_new, 1000, prepare)).accuracy


cut_reads = {}
for arm, net in whole_nets.items():
    wounded = copy.deepcopy(net)
    wounded.features.conv4_x[2] = nn.Identity()
    cut_reads[arm] = right(wounded)
    print(f"{arm:7} {right(net):.1%} whole, {cut_reads[arm]:.1%} without block 12")

# %%
cut_alike = [abs(cut_reads[arm] - cut_runs[arm][0].test["without 12"]) for arm in whole_nets]

# %% tags=["claim"]
claim("The knife of the experiment cuts as ours does.", max(cut_alike) < 0.005)

# %% [markdown]
# Every block in its turn. The net like VGG was recorded with the course.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
taken = records.read_all(cut_size.name)
titles = {"resnet": "ResNet-32", "plain": "plain, 32 layers", "vgg": "like VGG, 17 layers"}
one_each = {"vgg": taken["vgg"][:1]} | cut_runs
lines = {name: [[run.test[f"without {k}"] for k in range(15)] for run in one_each[arm]] for arm, name in titles.items()}
plots.tolerance(lines, range(15), "the block that is taken out", "One block taken out: what is left")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: where does the ResNet hurt? At the first blocks, and where maps are halved (5 and 10). Usual
# wrong answer: any block can go. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
claim(
    "The whole nets, plain and residual, name at least 85 % of new digits.",
    all(run.accuracy >= 0.85 for arm in ("resnet", "plain") for run in cut_runs[arm]),
)
claim(
    "Any one of the last four blocks taken out costs the ResNet under five points.",
    all(run.accuracy - run.test[f"without {k}"] < 0.05 for run in cut_runs["resnet"] for k in range(11, 15)),
)
claim(
    "It costs the plain net over thirty.",
    all(run.accuracy - run.test[f"without {k}"] > 0.3 for run in cut_runs["plain"] for k in range(11, 15)),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: is it fair? The same is done to each: the block goes, its input goes on. Usual wrong answer: in
# the ResNet less was taken out. It lost two convolutions, as the plain net did. -->

# %% [markdown]
# Now take the knife yourself. Tick off one block: the five recorded runs answer. Tick off several, in a notebook that
# has been run: your own two nets are measured on the spot.


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
def reads_without(name, blocks):
    arm = next(arm for arm, title in titles.items() if title == name)
    return right(lesions.without(whole_nets[arm], blocks)) if arm in whole_nets else None


known = {name: taken[arm] for arm, name in titles.items()}
singly = {name: [[run.test[f"without {k}"] for k in range(15)] for run in runs] for name, runs in known.items()}
LesionLab(known, plots.tolerance(singly, range(15), "the block", "Blocks taken out, recorded"), reads_without)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 4 minutes. Let the hall bet before each tick. Ask: which block does the ResNet miss most, which least? The
# first (96 to 62 % in the mean; most of all in four of five runs) and the last (a fifth of a point). Usual wrong
# answer: those that halve the maps, 5 and 10; in the mean they come third and fifth.
# Then ask for the one block that a plain net could spare: there is none. -->

# %% [markdown]
# One run each is an anecdote. Five seeds were recorded, and with them other cuts: two, four, eight or twelve blocks
# drawn at random from the 13 that keep the shape, five draws each, the same for all nets and seeds; the first three;
# the last three; neighbours that change places, behind the first block of a stage. Where there are several such cuts,
# their mean counts. And two controls. One takes out, of one of the last four blocks at a time, not the branch but the
# *shortcut*. The other takes out block 11 and asks whether the plain net only stumbles over the batch norms behind it,
# whose means and variances no longer fit: all are measured anew, and nothing else.
#
# All three nets learn with *weight decay*: a thousandth of each weight is added to its gradient, so each step also
# shrinks it a little. That belongs to the recipe, not to the idea. What it changes in these cuts is not recorded.

# %% tags=["nbval-ignore-output"]
cuts = ["without first three", "without last three", "neighbours exchanged", "without 11, norms anew"]
for cut in [*cuts, "without a shortcut"]:
    means = {arm: [run.test[cut] for run in taken[arm] if cut in run.test] for arm in titles}
    print(f"{cut:30}", {arm: f"{sum(found) / len(found):.0%}" for arm, found in means.items() if found})

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
drawn = ["accuracy", *[f"without {count} drawn" for count in (2, 4, 8, 12)]]
lines = {name: [[run.test[cut] for cut in drawn] for run in taken[arm]] for arm, name in titles.items()}
plots.tolerance(lines, (0, 2, 4, 8, 12), "blocks taken out, of 13", "Several blocks taken out at random")

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: one block out: how many of the 2^15 ways are left? Half. Eight out? 2^7, under one percent. So
# the paths picture, too, expects a fall. Usual wrong answer: half of the blocks are half of the ways. -->


# %%
def cost(arm, cut):
    """Points lost, as a share, in each recorded run."""
    return [run.accuracy - run.test[cut] for run in taken[arm]]


def mean_of(values):
    return sum(values) / len(values)


last_four = {arm: [value for k in range(11, 15) for value in cost(arm, f"without {k}")] for arm in titles}
earlier = [a - b for a, b in zip(cost("resnet", "without 0"), cost("resnet", "without 14"))]

# %% tags=["claim"]
claim(
    "Recorded, in every run: one of the last four blocks costs the ResNet under 5 points; the plain net, and the one "
    "like VGG, over 50.",
    max(last_four["resnet"]) < 0.05 and min(last_four["plain"] + last_four["vgg"]) > 0.5,
)
claim("Recorded, in every run: the ResNet misses its first block more than its last.", min(earlier) > 0)
claim(
    "Recorded, in every run: without its first three blocks the ResNet loses over 50 points; in the mean of five draws "
    "over 40 without four, over 5 without two.",
    min(cost("resnet", "without first three")) > 0.5
    and min(cost("resnet", "without 4 drawn")) > 0.4
    and min(cost("resnet", "without 2 drawn")) > 0.05,
)
# %% tags=["claim"]
claim(
    "Recorded, in every run: neighbours that change places, in the mean of nine pairs, cost the ResNet under 5 "
    "points, the plain net over 50.",
    max(cost("resnet", "neighbours exchanged")) < 0.05 and min(cost("plain", "neighbours exchanged")) > 0.5,
)

# %% tags=["claim"]
claim(
    "Recorded: take out a shortcut in place of a branch, and in the mean of four cuts the ResNet loses over 25 points "
    "in every run.",
    min(cost("resnet", "without a shortcut")) > 0.25,
)
claim(
    "Recorded: new means and variances do not save the plain net: over 50 points stay lost in every run.",
    min(cost("plain", "without 11, norms anew")) > 0.5,
)

# %% [markdown]
# ### And on photographs?
#
# The same three nets of 15 blocks, twice as wide, learned the 50,000 training photographs of CIFAR-10 (chapter 04):
# eight passes, once each. Then the same cuts, but for the norms measured anew, which was not tried here.

# %% tags=["nbval-ignore-output"]
of_photographs = {arm: runs[0] for arm, runs in records.read_all(lesions.CIFAR.name).items()}
lines = {name: [[of_photographs[arm].test[f"without {k}"] for k in range(15)]] for arm, name in titles.items()}
plots.tolerance(lines, range(15), "the block that is taken out", "One block taken out: photographs still named")

# %%
wounds = ["without last three", "without 2 drawn", "without 4 drawn", "neighbours exchanged", "without a shortcut"]
for cut in ["accuracy", "without first three", *wounds]:
    left = {arm: f"{of_photographs[arm].test[cut]:.0%}" for arm in titles if cut in of_photographs[arm].test}
    print(f"{'whole' if cut == 'accuracy' else cut:22}", left)


# %%
def points_lost(arm, *cuts):
    """By the one run on photographs, as a share."""
    return [of_photographs[arm].accuracy - of_photographs[arm].test[cut] for cut in cuts]


last_ones, inner_ones = [f"without {k}" for k in range(11, 15)], [f"without {k}" for k in range(7, 10)]

# %% tags=["claim"]
claim(
    "Recorded, on photographs, one run each: any one of the last four blocks costs the ResNet under ten points, the "
    "plain net and the one like VGG over forty.",
    max(points_lost("resnet", *last_ones)) < 0.1
    and min(points_lost("plain", *last_ones) + points_lost("vgg", *last_ones)) > 0.4,
)
claim("All of the last three cost the ResNet over forty.", points_lost("resnet", "without last three")[0] > 0.4)
claim(
    "One of blocks 7 to 9 costs it under two, one of the last four over three.",
    max(points_lost("resnet", *inner_ones)) < 0.02 and min(points_lost("resnet", *last_ones)) > 0.03,
)

# %% [markdown]
# In the large it is the same picture. The ResNet works on without one late block, and neighbours may change places;
# the nets without shortcuts, whichever block is gone, name hardly more than a fifth. But that late blocks can go is
# less true here: the last three cost 3 to 13 points on digits, and nearly 48 on photographs. What this net can best do
# without stands inside its second stage. It is one run each; and data, widths, rate and passes all differ from those
# of the digits, so why, we cannot say. (To train them anew: `python -m cnnlib run lesions --size cifar --folder
# FOLDER`, an hour and a half of one processor core.)
#
# What does this support? Veit and others [3] cut a ResNet of 54 blocks and found that one block hardly matters, that
# the error grows gradually the more blocks go, or change places, and that VGG falls to chance. They read it as an
# *ensemble*, a vote of many networks of different depth. Our cuts agree where single, late blocks are concerned, and,
# in the mean of nine, one pair of neighbours that changes places. They do not support what is sometimes made of it:
# the first three blocks cannot go; four of 13 cost, in the mean of five draws, over 40 points on digits and 39 on
# photographs, and two over five on either. (Five draws are few: each of the five fours has one of the first three
# blocks in it. Whether four late ones could go, they do not say.) And they do not decide for the vote. A network in
# which each block adds a small correction to what runs along would look the same; how large the corrections are is
# measured further below. (Theirs had 54 blocks, ours 15.)
#
# ## The ReLU behind the sum
#
# In the block of 2015 a ReLU follows the sum. So what runs along the shortcuts is never negative, and where a branch
# takes more away than there is, the identity is cut off. *Pre-activation* [2] moves norm and ReLU in front of each
# convolution; behind the sum comes nothing.


# %%
def before(n, maps):
    return [nn.BatchNorm2d(n), nn.ReLU(), nn.Conv2d(n, maps, 3, padding=1, bias=False)]


torch.manual_seed(0)
ours, library = Plus(nn.Sequential(*before(16, 16), *before(16, 16))), preact_block(16, 16, 1)
ours.load_state_dict(dict(zip(ours.state_dict(), library.state_dict().values())))
maps = torch.randn(2, 16, 8, 8)
with torch.no_grad():
    both_blocks = ours(maps), library(maps)
    runs_along = {"2015": residual(16, 16, 1)(maps.relu()), "2016": ours(maps.relu())}
for year, out in runs_along.items():
    print(year, f"lowest value {out.min():.1f}, zeros {(out == 0).float().mean():.0%}")

# %% tags=["claim"]
claim(
    "From equal weights our block with pre-activation and the library's give equal maps.",
    torch.allclose(*both_blocks, atol=1e-5),
)
claim(
    "Where nothing negative comes in, nothing negative comes out of a block of 2015; with pre-activation "
    "something does.",
    runs_along["2015"].min() == 0 > runs_along["2016"].min(),
)
claim(
    "Recorded, three seeds: with 56 layers and this recipe, pre-activation ends behind 2015, by 0.1 of training loss.",
    beats(by_loss("resnet56"), by_loss("preact56"), by=0.1),
)

# %% [markdown]
# That was not expected, and six passes decide little. At 1,001 layers its authors report 4.92 % of error on CIFAR-10
# where the block of 2015 has 7.61 %; at 110 layers it is 6.37 % against 6.61 % [2]. Depth alone was not the answer,
# either: the first paper's net of 1,202 layers fitted its training images (below 0.1 % of error) and had 7.93 % on
# new ones, where 110 layers, with a similar training error, had 6.43 % [1]. *That*, its authors argue, is
# overfitting.
#
# ## Two relatives
#
# **Highway networks** [4] appeared half a year before; the paper on ResNet calls them concurrent. Theirs is a
# shortcut with a *gate*: for each number a second layer decides how much of it is changed, and how much is passed on.


# %%
class Highway(nn.Module):
    def __init__(self, n, bias):
        super().__init__()
        self.change, self.gate = nn.Conv2d(n, n, 3, padding=1), nn.Conv2d(n, n, 3, padding=1)
        nn.init.constant_(self.gate.bias, bias)  # below 0: at the start the gate lets most pass unchanged

    def forward(self, x):
        open_to_change = torch.sigmoid(self.gate(x))
        return open_to_change * F.relu(self.change(x)) + (1 - open_to_change) * x


torch.manual_seed(0)
shut, wide = Highway(16, bias=-40), Highway(16, bias=40)
with torch.no_grad():
    passed = (shut(maps) - maps).abs().max().item()
    replaced = (wide(maps) - F.relu(wide.change(maps))).abs().max().item()
print(f"{sum(p.numel() for p in shut.parameters()):,} parameters, of which the gate has half")

# %% tags=["claim"]
claim(
    "One gate shut: what comes in goes on. Wide open: a plain layer, and nothing is left of what came in.",
    passed < 1e-6 and replaced < 1e-6,
)

# %% [markdown]
# A highway's shortcut can be closed, and costs a second layer. ResNet's has no gate and, where the shape stays, no
# parameters.
#
# **The Inception module** also leads past convolutions. It *stacks* where ResNet *adds*. Adding needs an equal number
# of maps, and keeps it; stacking adds the numbers up.

# %%
stacking = degradation.stacking_block(16, 16, 1)
rows = {"plain": plain(16, 16, 1), "adding": residual(16, 16, 1), "stacking": stacking}
for name, block in rows.items():
    print(f"{name:9}{sum(p.numel() for p in block.parameters()):6,} parameters, {block(maps).shape[1]} maps out of 16")
stack = torch.cat([maps, maps], 1).shape[1], (maps + maps).shape[1]
print("16 maps and 16 maps: stacked", stack[0], "added", stack[1])
for arm in ("plain56", "stacking56", "resnet56"):
    print(f"{arm}: {recorded[arm][0].parameters:,} parameters")

# %% [markdown]
# `stacking` is a module for this comparison: half of its maps come from one convolution, half from two in a row, with
# as many parameters as two plain layers. So there is a way of half the length through each module, but no identity.
# Recorded with the contest:

# %% tags=["nbval-ignore-output"]
for arm in ("plain56", "stacking56", "resnet56"):
    print(f"{arm:11} training loss {-mean_accuracy(by_loss(arm)):.2f}")

# %% tags=["claim"]
claim(
    "Recorded: stacking is better than a plain net of 56 layers by 0.2, and adding is better than stacking by 0.2.",
    beats(by_loss("stacking56"), by_loss("plain56"), 0.2) and beats(by_loss("resnet56"), by_loss("stacking56"), 0.2),
)

# %% [markdown]
# ## Does it hold up?
#
# Five sentences that people say about ResNet. Take a side before you read the answer.

# %%
early, late = mean_of(cost("resnet", "without first three")), mean_of(last_four["resnet"])
three_late = mean_of(cost("resnet", "without last three"))

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "Deep plain nets degrade because their gradients vanish.",
    max(back["plain, 56 layers"]) < 1e-3 or later["plain, 56 layers"] < 1e-3,
    because="at the start the first is pulled over a hundred times as much as the last but one; in the end far from 0",
)
verdict(
    "They degrade because they overfit.",
    of_training["plain56"] > of_training["plain20"],
    because="it is on the training images that they are worse",
)
verdict(
    "A residual block's slope is F′ + 1, so no gradient is smaller than 1.",
    min(slopes) >= 1,
    because="F′ may be negative; the identity is no lower bound",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Take a vote on each sentence before showing this slide. Usual wrong answer: the first, for every
# second text says so. -->

# %% tags=["claim"] slideshow={"slide_type": "slide"}
verdict(
    "A bottleneck has 17 times fewer weights than two 3×3.",
    [count / 69_632 > 16.5 for count in list(weights.values())[:2]],
    because="on 256 maps. Where one net has such bottlenecks, the others have two 3×3 on 64: 6 % apart",
)
verdict(
    "A trained ResNet works on without a few of its blocks.",
    [late < 0.05, three_late < 0.05, early < 0.05, points_lost("resnet", "without last three")[0] < 0.05],
    because="a late one, yes; the last three cost 3 to 13 points on digits, 48 on photographs; the first three over 50",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: which of the five did you believe an hour ago? Usual wrong answer: an ensemble can lose any
# member. -->

# %% [markdown]
# ## Interrogate the result
#
# A vote of many networks, or small corrections? Ask the trained ResNet how large each correction is: the deviation of
# what the branch adds, over the deviation of what it is added to.

# %% tags=["nbval-ignore-output"]
net, added, lost = whole_nets["resnet"], [], []
places = [f"features.conv{2 + k // 5}_x.{k % 5}" for k in range(15)]
inner = [f"{name}.{which}" for name in places for which in ("branch", "shortcut")]
with torch.no_grad(), recording(net, *inner) as outputs:
    net(prepare[0](digits_new.pixels))
for k, name in enumerate(places):
    added.append((outputs[f"{name}.branch"].std() / outputs[f"{name}.shortcut"].std()).item())
    lost.append(cut_runs["resnet"][0].accuracy - cut_runs["resnet"][0].test[f"without {k}"])
ranks = [torch.tensor(values).argsort().argsort().float() for values in (added, lost)]
agreement = torch.corrcoef(torch.stack(ranks))[0, 1].item()
print(f"rank correlation of what a block adds and what is lost without it: {agreement:.2f}")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "slide"}
title = "How large each block's correction is, beside what it is added to"
plots.by_layer({"ResNet-32": added}, [str(k) for k in range(15)], "branch over shortcut", title)

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask: where are the largest? Compare with the picture of the cuts. Usual wrong answer: all blocks do
# about the same. -->

# %%
tail = mean_of([added[k] for k in range(11, 15)])

# %% tags=["claim"]
claim(
    "In the mean of the last four blocks the deviation of what is added is a quarter to four fifths of that of what it "
    "is added to.",
    0.25 < tail < 0.8,
)
claim(
    "The more a block adds, the more is lost without it: the ranks agree, with a correlation above 0.4.",
    agreement > 0.4,
)

# %% [markdown]
# So a block that adds more is missed more, in this one run. Both also fall with depth, so part of the agreement may be
# depth alone. And small the corrections are not: about half of what they are added to in the last four blocks, in the
# mean, and more in the very first. So the second reading does not hold in these words: what late blocks add is not
# small, and yet it is hardly missed. That does not prove the vote. It was not put to a test here, only its rival was.

# %% [markdown]
# ## Exercises
# %% [markdown]
# ### How deep is it?
#
# 3 minutes, ●○○
#
# Write `depth_of`: how many layers with weights are on the main path of a ResNet? `blocks` lists the blocks of each
# stage, `convolutions` is how many a block's branch has. Before the stages there is one convolution, behind them one
# fully connected layer.


# %%
def depth_of(blocks, convolutions): ...


# %%
check(depth_of)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_depth_of(blocks, convolutions):
    return 1 + convolutions * sum(blocks) + 1


check(solution_depth_of, of="depth_of")

# %% [markdown]
# ### The slope of many blocks
#
# 5 minutes, ●○○
#
# Blocks x + F(x), one after the other, without a ReLU. `slopes` lists the F′ of each, at the place where the signal
# is. Write `slope_through`: the slope from the input of the first to the output of the last. When it passes: which
# slopes F′ bring it to 0?


# %%
def slope_through(slopes): ...


# %%
check(slope_through)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_slope_through(slopes):
    product = 1.0
    for value in slopes:
        product *= 1 + value
    return product


# A single F′ = −1 is enough: the slope is 0, whatever the others do.
check(solution_slope_through, of="slope_through")

# %% [markdown]
# ### The dashed line
#
# 8 minutes, ●●○
#
# Write `option_a`: it takes maps `x`, N×C×H×W, keeps every second row and column, beginning with the first, and puts
# maps of zeros behind them until there are `maps`.


# %%
def option_a(x, maps): ...


# %%
check(option_a)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_option_a(x, maps):
    x = x[:, :, ::2, ::2]
    zeros = x.new_zeros(x.shape[0], maps - x.shape[1], *x.shape[2:])
    return torch.cat([x, zeros], dim=1)


check(solution_option_a, of="option_a")

# %% [markdown]
# ### Count a bottleneck
#
# 10 minutes, ●●○
#
# Write `bottleneck_parameters`: how many parameters has a bottleneck into which `inputs` maps go, whose 3×3 works on
# `width` maps, and which puts out 4·`width`? Convolutions have no biases; behind each stands a batch norm with two
# parameters a map. Where `stride` is 2 or the number of maps changes, the shortcut is option B, with its own batch
# norm.


# %%
def bottleneck_parameters(inputs, width, stride): ...


# %%
check(bottleneck_parameters)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_bottleneck_parameters(inputs, width, stride):
    outputs = 4 * width
    branch = inputs * width + 9 * width * width + width * outputs
    norms = 2 * (width + width + outputs)
    changes = stride != 1 or inputs != outputs
    return branch + norms + (inputs * outputs + 2 * outputs if changes else 0)


check(solution_bottleneck_parameters, of="bottleneck_parameters")

# %% [markdown]
# ### Two layers that copy
#
# 12 minutes, ●●●
#
# Write `copying`: it returns two 3×3 convolutions with `maps` maps in and out, padding 1 and no biases, each followed
# by a ReLU, in an `nn.Sequential`. Whatever is not negative must come out as it went in. (Beside a shortcut weights
# of zero would do.)


# %%
def copying(maps): ...


# %%
check(copying)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_copying(maps):
    layers = []
    for _ in range(2):
        convolution = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        with torch.no_grad():
            convolution.weight.zero_()
            for k in range(maps):
                convolution.weight[k, k, 1, 1] = 1
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers)


check(solution_copying, of="copying")

# %% [markdown]
# ### Blocks that are missing now and then
#
# 15 minutes, ●●●
#
# If blocks can be missed, miss them in training: *stochastic depth* [5]. Write `perhaps`, a block's output for the
# input `x`. In training one coin for the whole batch decides: with probability `keep` the block gives `x +
# branch(x)`, else `x`. When `training` is false no coin is thrown: it gives `x` plus what the branch would add in the
# mean over many throws. When it passes: how would the net of this chapter bear the knife after such a training?


# %%
def perhaps(branch, x, keep, training): ...


# %%
check(perhaps)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_perhaps(branch, x, keep, training):
    if not training:
        return x + keep * branch(x)
    return x + branch(x) if torch.rand(()) < keep else x


check(solution_perhaps, of="perhaps")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Take-aways
#
# - More plain layers: a higher training loss, though better weights exist.
# - No gradient need vanish for that.
# - x + F(x): a gradient with the identity in it; no lower bound.
# - One late block can be missed; not three early ones.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 2 minutes. Ask everyone to write the block of 2015 in six lines, from memory, and to say where the last ReLU
# is. -->

# %% [markdown]
# **Sources.** [1] K. He and others, *Deep Residual Learning for Image Recognition*, 2015, arXiv:1512.03385. [2] K. He
# and others, *Identity Mappings in Deep Residual Networks*, 2016, arXiv:1603.05027. [3] A. Veit, M. Wilber, S.
# Belongie, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, 2016, arXiv:1605.06431. [4] R.
# Srivastava, K. Greff, J. Schmidhuber, *Highway Networks*, 2015, arXiv:1505.00387. [5] G. Huang and others, *Deep
# Networks with Stochastic Depth*, 2016, arXiv:1603.09382.
#
# **Next**, chapter 10: DenseNet, which stacks what ResNet adds. **Before**, chapter 08: GoogLeNet and Inception.
