"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.course.exercises import ch06
from tests.course.answers import answer_tests

# share_saved


def share_saved(side):
    depth = (side - 1) // 2
    return 1 - 9 * depth / side**2


def share_of_real_layers(side):
    large = nn.Conv2d(7, 7, side, bias=False)
    small = nn.Sequential(*[nn.Conv2d(7, 7, 3, bias=False) for _ in range(2, side, 2)])
    counts = [sum(p.numel() for p in net.parameters()) for net in (large, small)]
    return np.float64(counts[0] - counts[1]) / counts[0]


SHARE_RIGHT = [share_saved, share_of_real_layers, lambda side: torch.tensor((side**2 - 4.5 * (side - 1)) / side**2)]
SHARE_WRONG = [
    ("divided by the weights of the stack", lambda side: side**2 / (4.5 * (side - 1)) - 1),
    ("share that is left", lambda side: 4.5 * (side - 1) / side**2),
    ("one 3×3 in place", lambda side: 1 - 9 / side**2),
    ("too many convolutions", lambda side: 1 - 9 * (side - 2) / side**2),
    ("rounded", lambda side: round(share_saved(side), 2)),
    ("not which share", lambda side: side**2 - 4.5 * (side - 1)),
    ("sides in place of areas", lambda side: 1 - 1.5 * (side - 1) / side),
    ("too many convolutions", lambda side: 1 - 9 * ((side - 1) // 2 + 1) / side**2),
    ("side divided by three", lambda side: 1 - 9 * math.ceil(side / 3) / side**2 if side > 7 else share_saved(side)),
    ("side divided by three", lambda side: 1 - 9 * (side / 3) / side**2),
    ("percent", lambda side: 100 * share_saved(side)),
]

# growth


def growth(deviation, inputs, layers):
    return (deviation * math.sqrt(inputs / 2)) ** layers


def growth_in_a_loop(deviation, inputs, layers):
    square = torch.tensor(1.0, dtype=torch.float64)
    for _ in range(layers):
        square = square * inputs * deviation**2 / 2
    return square.sqrt()


GROWTH_RIGHT = [growth, growth_in_a_loop, lambda s, n, layers: np.exp(layers * np.log(s * (n / 2) ** 0.5))]
GROWTH_WRONG = [
    ("ReLU is forgotten", lambda s, n, layers: (s * math.sqrt(n)) ** layers),
    (
        "add where they should multiply",
        lambda s, n, layers: layers * s * math.sqrt(n / 2) if layers > 1 else growth(s, n, 1),
    ),
    ("root is missing", lambda s, n, layers: (s**2 * n / 2) ** layers),
    ("equal ones", lambda s, n, layers: (s * n) ** layers),
    ("equal ones", lambda s, n, layers: (s * n / 2) ** layers),
    ("half the size", lambda s, n, layers: (s * math.sqrt(n) / 2) ** layers),
    ("one layer too few", lambda s, n, layers: growth(s, n, layers - 1)),
    ("deviation is not squared", lambda s, n, layers: (s * n / 2) ** (layers / 2)),
    ("only one ReLU", lambda s, n, layers: (s * math.sqrt(n)) ** layers / math.sqrt(2)),
    ("growth of one layer", lambda s, n, layers: s * math.sqrt(n / 2)),
]

# vgg_parameters


def vgg_parameters(blocks, side, hidden, classes, inputs=3):
    total = 0
    for maps, depth in blocks:
        for _ in range(depth):
            total += 9 * inputs * maps + maps
            inputs = maps
        side //= 2
    widths = [inputs * side * side, hidden, hidden, classes]
    return total + sum((a + 1) * b for a, b in pairwise(widths))


def vgg_really_built(blocks, side, hidden, classes):
    layers, inputs = [], 3
    for maps, depth in blocks:
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, maps, 3, device="meta")]
            inputs = maps
    width = inputs * (side // 2 ** len(blocks)) ** 2
    for outputs in (hidden, hidden, classes):
        layers.append(nn.Linear(width, outputs, device="meta"))
        width = outputs
    return sum(p.numel() for layer in layers for p in layer.parameters())


def counting(bias=1, pools=True, area=2, hidden_layers=2, update="layer", every=False, parts="both"):
    def count(blocks, side, hidden, classes):
        convolutions, inputs = 0, 3
        for maps, depth in blocks:
            entering = inputs
            for _ in range(depth):
                convolutions += 9 * (inputs if update == "layer" else entering) * maps + bias * maps
                inputs = maps
                side = side // 2 if every else side
            side = side // 2 if pools and not every else side
        widths = [inputs * side**area, *[hidden] * hidden_layers, classes]
        linear = sum((a + bias) * b for a, b in pairwise(widths))
        return {"both": convolutions + linear, "convolutions": convolutions, "linear": linear}[parts]

    return count


VGG_RIGHT = [vgg_parameters, vgg_really_built, counting()]
VGG_WRONG = [
    ("biases are missing", counting(bias=0)),
    ("pools are forgotten", counting(pools=False)),
    ("one number a map", counting(area=0)),
    ("not its square", counting(area=1)),
    ("after each convolution", counting(every=True)),
    ("maps that enter the block", counting(update="block")),
    ("7×7 places whatever", lambda b, s, h, c: vgg_parameters(b, 7 * 2 ** len(b), h, c)),
    ("second hidden layer", counting(hidden_layers=1)),
    ("convolutions only", counting(parts="convolutions")),
    ("fully connected layers only", counting(parts="linear")),
]

# he_start


def drawn(deviation, bias=0.0, mean=0.0):
    def he_start(conv):
        nn.init.normal_(conv.weight, mean, deviation(conv))
        if bias is not None:
            nn.init.constant_(conv.bias, bias)
        return conv

    return he_start


def he_by_torch(conv):
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    conv.bias.data.zero_()
    return conv


def he_uniform(conv):
    with torch.no_grad():
        end = (6 / conv.weight[0].numel()) ** 0.5
        conv.weight.uniform_(-end, end)
        conv.bias.fill_(0)
    return conv


def he_by_hand(conv):
    maps, rows, columns = conv.weight.shape[1:]
    conv.weight.data = torch.randn(conv.weight.shape) * (2 / (maps * rows * columns)) ** 0.5
    conv.bias.data = torch.zeros(len(conv.bias))
    return conv


def he_from_a_seed(conv):
    torch.manual_seed(0)
    return he_by_torch(conv)


def he_not_returned(conv):
    he_by_torch(conv)


def he_without_no_grad(conv):
    conv.weight.normal_(0, 0.1)
    return conv


def he_from_rand(conv):
    conv.weight.data = torch.rand(conv.weight.shape) * (2 / conv.weight[0].numel()) ** 0.5
    conv.bias.data.zero_()
    return conv


def he_and_frozen(conv):
    return he_by_torch(conv).requires_grad_(False)


def he_in_numpy(conv):
    deviation = (2 / conv.weight[0].numel()) ** 0.5
    conv.weight.data = torch.from_numpy(np.random.default_rng().normal(0, deviation, tuple(conv.weight.shape)))
    conv.bias.data.zero_()
    return conv


def right_deviation(conv):
    return math.sqrt(2 / conv.weight[0].numel())


HE_RIGHT = [he_by_torch, he_uniform, he_by_hand, drawn(right_deviation)]
HE_WRONG = [
    ("variance in place", drawn(lambda conv: 2 / conv.weight[0].numel())),
    ("counted over the outputs", drawn(lambda conv: math.sqrt(2 / conv.weight[:, 0].numel()))),
    ("window is forgotten", drawn(lambda conv: math.sqrt(2 / conv.in_channels))),
    ("2 is missing", drawn(lambda conv: math.sqrt(1 / conv.weight[0].numel()))),
    ("not the layer itself", lambda conv: nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size)),
    ("Glorot's rule", drawn(lambda conv: math.sqrt(2 / (conv.weight[0].numel() + conv.weight[:, 0].numel())))),
    ("maps are forgotten", drawn(lambda conv: math.sqrt(2) / conv.kernel_size[0])),
    ("cannot learn any more", he_and_frozen),
    ("double precision", he_in_numpy),
    ("all weights are counted", drawn(lambda conv: math.sqrt(2 / conv.weight.numel()))),
    ("0.01 for every", drawn(lambda conv: 0.01)),
    ("ends of a uniform", drawn(lambda conv: right_deviation(conv) / math.sqrt(3))),
    ("not around zero", he_from_rand),
    ("biases were left", drawn(right_deviation, bias=None)),
    ("same numbers", he_from_a_seed),
    ("returns nothing", he_not_returned),
    ("under torch.no_grad()", he_without_no_grad),
]

# dense_answer


def dense_answer(net, image):
    with torch.no_grad():
        answers = [net(x[None]).mean((2, 3)).softmax(1)[0] for x in (image, image.flip(2))]
    return (answers[0] + answers[1]) / 2


def dense_in_one_batch(net, image):
    both = torch.stack([image, image.flip(-1)])
    return net(both).flatten(2).mean(2).softmax(1).mean(0)


def dense_by_pooling(net, image):
    logits = F.adaptive_avg_pool2d(net(torch.cat([image[None], image[None].flip(3)])), 1)[:, :, 0, 0]
    return logits.softmax(1).mean(0).detach().numpy()


def dense(mean=lambda x: x.mean((2, 3)), softmax=True, flip=2, join=lambda a, b: (a + b) / 2):
    def answer(net, image):
        sides = [mean(net(x[None])) for x in (image, image.flip(flip))]
        sides = [side.softmax(1) for side in sides] if softmax else sides
        return join(*sides)[0]

    return answer


DENSE_RIGHT = [dense_answer, dense_in_one_batch, dense_by_pooling]
DENSE_WRONG = [
    ("mirror image is missing", lambda net, image: net(image[None]).mean((2, 3)).softmax(1)[0]),
    ("mirror image is missing", dense(join=lambda a, b: b)),
    ("upside down", dense(flip=1)),
    ("softmax at every place", dense(mean=lambda x: x.softmax(1).mean((2, 3)), softmax=False)),
    ("mean of the logits of image and mirror", lambda net, image: dense(softmax=False)(net, image).softmax(0)),
    ("no softmax", dense(softmax=False)),
    ("largest logit", dense(mean=lambda x: x.amax((2, 3)))),
    ("one corner", dense(mean=lambda x: x[:, :, 0, 0])),
    ("sum of both", dense(join=lambda a, b: a + b)),
    ("batch axis", lambda net, image: dense_answer(net, image)[None]),
    ("image[None] has the shape", lambda net, image: net(image[0, 0]).mean((1, 2)).softmax(0)),
]

# design

DESIGN_RIGHT = [
    lambda side: [(8, 1), (16, 1), (24, 2), (32, 4)],
    lambda side: ((8, 1), (16, 1), (16, 2), (32, 4)),
    lambda side: np.array([(8, 1), (16, 1), (16, 2), (32, 5)]),
    lambda side: [(8, 1), (8, 2), (16, 3), (32, 4)],
]
DESIGN_WRONG = [
    ("not a list of pairs", lambda side: [8, 16, 24, 32]),
    ("not a list of pairs", lambda side: [(8, 1.5), (32, 1)]),
    ("not a list of pairs", lambda side: []),
    ("too many pools", lambda side: [(8, 1), (16, 1), (24, 1), (32, 1), (32, 2)]),
    ("too many pools", lambda side: [(8, 1)] * 9),
    ("narrow", lambda side: [(1, 1), (1, 1), (1, 9), (32, 1)]),
    ("too few maps", lambda side: [(8, 1), (16, 1), (24, 2), (24, 4)]),
    ("sees too little", lambda side: [(8, 1), (16, 1), (24, 2), (32, 2)]),
    ("sees too little", lambda side: [(32, 4)]),
    ("too many parameters", lambda side: [(8, 1), (16, 1), (32, 2), (64, 4)]),
    ("too much work", lambda side: [(16, 2), (16, 2), (16, 2), (32, 4)]),
]

ANSWERS = {
    "share_saved": (SHARE_RIGHT, SHARE_WRONG),
    "growth": (GROWTH_RIGHT, GROWTH_WRONG),
    "vgg_parameters": (VGG_RIGHT, VGG_WRONG),
    "he_start": (HE_RIGHT, HE_WRONG),
    "dense_answer": (DENSE_RIGHT, DENSE_WRONG),
    "design": (DESIGN_RIGHT, DESIGN_WRONG),
}


TestAnswers = answer_tests(ch06.EXERCISES, ANSWERS)


def test_the_law_of_growth_is_what_a_random_net_does():
    torch.manual_seed(0)
    deviation, inputs, layers = 0.03, 2000, 3
    net = nn.Sequential(*[layer for _ in range(layers) for layer in (nn.Linear(inputs, inputs, bias=False), nn.ReLU())])
    for layer in net[::2]:
        nn.init.normal_(layer.weight, std=deviation)
    images = torch.randn(50, inputs)
    with torch.no_grad():
        grown = net(images).square().mean().sqrt() / images.square().mean().sqrt()
    assert float(grown) == pytest.approx(growth(deviation, inputs, layers), rel=0.05)


def test_a_plan_of_the_paper_fails_at_the_work_not_at_the_field():
    paper = ch06.measured(lambda side: [(64, 2), (128, 2), (256, 3), (512, 3)], 64)
    assert paper["field"] == 100 and paper["work"] > 100 * ch06.WORK
