"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.course.exercises import ch07
from cnnlib.models.nin import initialise
from tests.course.answers import answer_tests, output

# nin_sides


def nin_sides(side):
    sides = [(side - 11) // 4 + 1]
    for _ in range(3):
        sides.append(math.ceil((sides[-1] - 3) / 2) + 1)
    return sides


def sides_by_halving(side):
    first = (side - 7) // 4
    return np.array([first, first // 2, first // 4, first // 8])


def sides_of_tensors(side):
    x = F.avg_pool2d(torch.empty(1, 1, side, side), 11, 4)
    sides = [x.shape[2]]
    for _ in range(3):
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        sides.append(x.shape[3])
    return torch.tensor(sides)


def sides(first=lambda side: (side - 11) // 4 + 1, pool=lambda side: math.ceil((side - 3) / 2) + 1, lost=(0, 0, 0)):
    def answer(side):
        found = [first(side)]
        for border in lost:
            found.append(pool(found[-1]) - border)
        return found

    return answer


SIDES_RIGHT = [nin_sides, sides_by_halving, sides_of_tensors]
SIDES_WRONG = [
    ("pools round down", sides(pool=lambda side: (side - 3) // 2 + 1)),
    ("too many places", sides(first=lambda side: math.ceil((side - 11) / 4) + 1)),
    ("too many places", sides(first=lambda side: (side + 4 - 11) // 4 + 1)),
    ("too many places", sides(first=lambda side: side // 4)),
    ("lose their border", sides(lost=(4, 2, 2))),
    ("lose their border", sides(lost=(4, 0, 0))),
    ("one place too few", sides(first=lambda side: (side - 11) // 4)),
    ("behind the pools", lambda side: [*nin_sides(side)[1:], nin_sides(side)[-1] // 2]),
    ("halved and rounded up", sides(pool=lambda side: math.ceil(side / 2))),
    ("four numbers", lambda side: nin_sides(side)[-1]),
]

# mlpconv_parameters


def mlpconv_parameters(inputs, window, widths):
    total = 0
    for width in widths:
        total += (window * window * inputs + 1) * width
        inputs, window = width, 1
    return total


def layers_built(inputs, window, widths):
    convolutions = nn.Sequential()
    for width in widths:
        convolutions.append(nn.Conv2d(inputs, width, window if not len(convolutions) else 1))
        inputs = width
    return torch.tensor(sum(p.numel() for p in convolutions.parameters()))


def counting(area=2, every=False, bias=1, chained=True):
    def count(inputs, window, widths):
        total, before = 0, inputs
        for place, width in enumerate(widths):
            total += (window**area if every or not place else 1) * before * width + bias * width
            before = width if chained else inputs
        return total

    return count


COUNT_RIGHT = [mlpconv_parameters, layers_built, counting()]
COUNT_WRONG = [
    ("biases are missing", counting(bias=0)),
    ("all convolutions have the large window", counting(every=True)),
    ("maps that enter the layer", counting(chained=False)),
    ("not its square", counting(area=1)),
    ("first convolution only", lambda inputs, window, widths: mlpconv_parameters(inputs, window, widths[:1])),
    (
        "1×1 convolutions only",
        lambda i, w, widths: mlpconv_parameters(i, w, widths) - mlpconv_parameters(i, w, widths[:1]),
    ),
]

# average_head


class Head(nn.Module):
    """Written as a class of one's own."""

    def __init__(self, maps, classes, mean=lambda x: x.mean((2, 3))):
        super().__init__()
        self.maps, self.mean = nn.Conv2d(maps, classes, 1), mean

    def forward(self, x):
        return self.mean(self.maps(x))


def head(*behind, first=None):
    def average_head(maps, classes):
        return nn.Sequential((first or nn.Conv2d)(maps, classes, 1), *[make() for make in behind])

    return average_head


MEAN = (lambda: nn.AdaptiveAvgPool2d(1), nn.Flatten)
HEAD_RIGHT = [
    head(*MEAN),
    lambda maps, classes: Head(maps, classes),
    lambda maps, classes: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(maps, classes)),
    lambda maps, classes: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(maps, classes, 1), nn.Flatten()),
]
HEAD_WRONG = [
    ("not a module", lambda maps, classes: [nn.Conv2d(maps, classes, 1), nn.AdaptiveAvgPool2d(1)]),
    ("last two axes", head(MEAN[0])),
    ("logits for each place", head()),
    ("logits for each place", head(nn.Flatten)),
    ("means of the maps that come in", lambda maps, classes: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    ("logits are rectified", head(nn.ReLU, *MEAN)),
    ("softmax in the head", head(*MEAN, lambda: nn.Softmax(1))),
    ("does not fit every map", head(lambda: nn.AvgPool2d(6), nn.Flatten)),
    (
        "largest value of each map that comes in",
        lambda maps, classes: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(maps, classes)),
    ),
    ("bias is missing", head(*MEAN, first=lambda a, b, c: nn.Conv2d(a, b, c, bias=False))),
    ("weights for each place", lambda maps, classes: nn.Sequential(nn.Flatten(), nn.Linear(36 * maps, classes))),
    (
        "more layers with weights",
        lambda maps, classes: nn.Sequential(nn.Conv2d(maps, maps, 1), nn.ReLU(), *head(*MEAN)(maps, classes)),
    ),
    ("largest value of each map", head(lambda: nn.AdaptiveMaxPool2d(1), nn.Flatten)),
    ("sum over the places", lambda maps, classes: Head(maps, classes, mean=lambda x: x.sum((2, 3)))),
    ("returns nothing", lambda maps, classes: print(end="")),
]

# plain_maps


def plain_maps(inputs, window, widths):
    return mlpconv_parameters(inputs, window, widths) // (window**2 * inputs + 1)


def plain_by_search(inputs, window, widths):
    maps = 1
    while (window**2 * inputs + 1) * maps <= mlpconv_parameters(inputs, window, widths):
        maps += 1
    return np.int64(maps - 1)


PLAIN_RIGHT = [plain_maps, plain_by_search]
PLAIN_WRONG = [
    ("rounded up", lambda i, w, widths: -(-mlpconv_parameters(i, w, widths) // (w**2 * i + 1))),
    ("a fraction", lambda i, w, widths: mlpconv_parameters(i, w, widths) / (w**2 * i + 1)),
    ("biases are left out", lambda i, w, widths: mlpconv_parameters(i, w, widths) // (w**2 * i)),
    ("width of the first", lambda i, w, widths: widths[0]),
    ("widths added up", lambda i, w, widths: sum(widths)),
    ("not its square", lambda i, w, widths: mlpconv_parameters(i, w, widths) // (w * i + 1)),
]

# class_map


def class_map(net, image, label):
    with torch.no_grad():
        sheet = net.classifier[0](net.features(image[None]))[0, label]
    step = image.shape[1] // sheet.shape[0]
    return sheet.repeat_interleave(step, 0).repeat_interleave(step, 1)


def map_by_interpolation(net, image, label):
    sheets = net.classifier[0](net.features(image[None]))
    return F.interpolate(sheets[:, label : label + 1], image.shape[1:])[0, 0]


def map_by_weights(net, image, label):
    conv = net.classifier[0]
    features = net.features(image[None])[0]
    sheet = (features * conv.weight[label]).sum(0) + conv.bias[label]
    step = image.shape[2] // sheet.shape[1]
    return np.kron(sheet.detach().numpy(), np.ones((step, step)))


def class_maps(net, image):
    with torch.no_grad():
        return net.classifier[0](net.features(image[None]))[0]


def enlarged(sheet, image, **options):
    return F.interpolate(sheet[None, None], image.shape[1:], **options)[0, 0]


def scaled(net, image, label):
    sheet = class_map(net, image, label)
    return (sheet - sheet.min()) / (sheet.max() - sheet.min())


MAP_RIGHT = [class_map, map_by_interpolation, map_by_weights]


def tiled(sheet, image):
    return sheet.repeat(image.shape[1] // sheet.shape[0], image.shape[2] // sheet.shape[1])


MAP_WRONG = [
    ("not yet enlarged", lambda net, image, label: class_maps(net, image)[label]),
    ("like tiles", lambda net, image, label: tiled(class_maps(net, image)[label], image)),
    ("map is rectified", lambda net, image, label: enlarged(class_maps(net, image)[label].relu(), image)),
    ("maps of all classes", lambda net, image, label: F.interpolate(class_maps(net, image)[None], image.shape[1:])[0]),
    ("axes of batch or class", lambda net, image, label: class_map(net, image, label)[None]),
    ("not of `label`", lambda net, image, label: class_map(net, image, int(net(image[None]).argmax()))),
    ("one number everywhere", lambda net, image, label: torch.ones(image.shape[1:]) * net(image[None])[0, label]),
    ("softmax over the classes", lambda net, image, label: enlarged(class_maps(net, image).softmax(0)[label], image)),
    ("between 0 and 1", scaled),
    ("map of the features", lambda net, image, label: enlarged(net.features(image[None])[0, 0], image)),
    ("smoothly", lambda net, image, label: enlarged(class_maps(net, image)[label], image, mode="bilinear")),
    ("takes a batch", lambda net, image, label: net.features(image[0])),
]

# tiny_nin


def tiny_nin(windows=((5, 12, 10), (3, 16, 16)), norm=True, start=None, end=(), step=4):
    def build():
        layers, before = [], 1
        for number, (window, *widths) in enumerate(windows):
            for width in widths:
                move = step if not number and window > 1 else 1
                layers += [nn.Conv2d(before, width, window, move, window // 2)]
                layers += [nn.BatchNorm2d(width)] if norm else []
                layers += [nn.ReLU()]
                before, window = width, 1
        net = nn.Sequential(*layers, nn.Conv2d(before, 10, 1), *end, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if start:
            start(net)
        return net

    return build


def always_he(net):
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.001)


TWO = ((5, 12, 10, 10), (3, 16, 16, 16))
TINY_RIGHT = [tiny_nin(TWO), tiny_nin(TWO, norm=False, start=initialise), tiny_nin(TWO, step=2)]
TINY_WRONG = [
    ("not a network", lambda: [nn.Conv2d(1, 10, 1)]),
    ("not N×10", lambda: tiny_nin(TWO)()[:-1]),
    (
        "matrix in the head",
        lambda: nn.Sequential(*tiny_nin(TWO)()[:-3], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)),
    ),
    ("too few 1×1", tiny_nin(((5, 12), (3, 16)))),
    ("too many parameters", tiny_nin(((5, 32, 32, 32), (3, 32, 32, 32)))),
    ("too much work", tiny_nin(TWO, step=1)),
    ("stays at a guess", tiny_nin(TWO, norm=False, start=always_he)),
]

ANSWERS = {
    "nin_sides": (SIDES_RIGHT, SIDES_WRONG),
    "mlpconv_parameters": (COUNT_RIGHT, COUNT_WRONG),
    "average_head": (HEAD_RIGHT, HEAD_WRONG),
    "plain_maps": (PLAIN_RIGHT, PLAIN_WRONG),
    "class_map": (MAP_RIGHT, MAP_WRONG),
    "tiny_nin": (TINY_RIGHT, TINY_WRONG),
}


TestAnswers = answer_tests(ch07.EXERCISES, ANSWERS, unmade=["from one seed and not from another"])


def test_the_mean_first_passes_with_a_remark(capsys):
    told = output(capsys, HEAD_RIGHT[2], "average_head")
    assert "A remark: mean first" in told
    assert "A remark" not in output(capsys, HEAD_RIGHT[0], "average_head")
