"""LeNet: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998).

`lenet5` is the paper's network: 60,000 trainable parameters, and 840 fixed ones in its output layer. Its bitmaps are
drawn for this course: the paper prints its own, of the same 7×12 points, as a picture only (Figure 3). C3 is computed
as a full convolution whose missing kernels are zero, so a summary counts 240,000 multiply-adds for it, 90,000 of them
with zeros. The loss is not the paper's: cross-entropy over the outputs is its equation 9 without the constant. The
outputs are large, so peak learning rates stay at 0.01 or below.

`lenet` is the net that most courses of today draw: the paper's sizes, but full connections from S2 to C3 (2,416
parameters instead of 1,516), max pooling, ReLU, and a linear output with cross-entropy.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["lenet", "lenet5", "lenet_cifar"]

# Output channels of C1 and C3; units of C5, F6.
CONVOLUTIONS, UNITS = (6, 16), (120, 84)

# Table I: for each map of C3, the maps of S2 that it sees.
# fmt: off
CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
# fmt: on

# What F6 should show for each digit: 12 rows of 7 points, the digits side by side.
BITMAPS = """
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
    ..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
    .#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #.....#
    #.....# .#.#... ......# ......# ...#.#. #...... #...... .....#. #.....# #.....#
    #.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
    #.....# ...#... .....#. ..####. .#...#. ######. ######. ....#.. .#####. .######
    #.....# ...#... ....#.. ......# #....#. ......# #.....# ....#.. #.....# ......#
    #.....# ...#... ...#... ......# ####### ......# #.....# ...#... #.....# ......#
    #.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
    .#...#. ...#... .#..... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
    ..###.. .#####. ####### .#####. .....#. .#####. .#####. ..#.... .#####. .####..
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


class ScaledTanh(nn.Module):
    """The squashing function of every unit up to F6: it sends 1 to 1 and -1 to -1 (Appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class SubSampling(nn.AvgPool2d):
    """The sum of each 2×2 square, times a coefficient, plus a bias; both are trained, one pair a map."""

    def __init__(self, channels: int) -> None:
        super().__init__(2, divisor_override=1)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.weight[:, None, None] + self.bias[:, None, None]


class ConnectedConv2d(nn.Conv2d):
    """A convolution whose map i sees the input maps connections[i] only: `weight` holds one kernel a connection."""

    def __init__(self, connections: Sequence[Sequence[int]], kernel_size: int) -> None:
        super().__init__(1 + max(map(max, connections)), len(connections), kernel_size)
        pairs = [(output, seen) for output, row in enumerate(connections) for seen in row]
        self.register_buffer("pairs", torch.tensor(pairs).T)
        self.weight = nn.Parameter(self.weight.detach()[tuple(self.pairs)])

    def forward(self, x: Tensor) -> Tensor:
        kernels = self.weight.new_zeros(self.out_channels, self.in_channels, *self.kernel_size)
        return F.conv2d(x, kernels.index_put(tuple(self.pairs), self.weight), self.bias)


class RadialBasis(nn.Module):
    """Minus the squared distances to fixed prototypes, so that larger is better: N×84 to N×10."""

    def __init__(self, prototypes: Tensor) -> None:
        super().__init__()
        self.register_buffer("prototypes", prototypes)

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None] - self.prototypes).square().sum(2)


class LeNet5(nn.Module):
    """The network of 1998, for 1×32×32 images. The output is minus the squared distance to each digit's bitmap."""

    def __init__(self) -> None:
        super().__init__()
        c1, c3 = CONVOLUTIONS
        c5, f6 = UNITS
        self.features = nn.Sequential(
            OrderedDict(
                c1=nn.Sequential(nn.Conv2d(1, c1, 5), ScaledTanh()),
                s2=nn.Sequential(SubSampling(c1), ScaledTanh()),
                c3=nn.Sequential(ConnectedConv2d(CONNECTIONS, 5), ScaledTanh()),
                s4=nn.Sequential(SubSampling(c3), ScaledTanh()),
                c5=nn.Sequential(nn.Conv2d(c3, c5, 5), ScaledTanh()),
            )
        )
        f6_units = nn.Sequential(nn.Flatten(), nn.Linear(c5, f6), ScaledTanh())
        self.classifier = nn.Sequential(OrderedDict(f6=f6_units, output=RadialBasis(bitmaps())))
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class LeNet(nn.Module):
    """Two 5×5 convolutions, each pooled by two, and three fully connected layers, for 32×32 images."""

    def __init__(self, in_channels: int = 1, num_classes: int = 10) -> None:
        super().__init__()
        c1, c3 = CONVOLUTIONS
        c5, f6 = UNITS
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, c1, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(c1, c3, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(c3 * 5 * 5, c5), nn.ReLU(), nn.Linear(c5, f6), nn.ReLU(), nn.Linear(f6, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def bitmaps() -> Tensor:
    """The prototypes of the ten digits, 10×84: 1 where the bitmap is black, -1 where it is white."""
    rows = [line.split() for line in BITMAPS.split("\n") if line.strip()]
    black = [[point == "#" for row in rows for point in row[digit]] for digit in range(10)]
    return 2.0 * torch.tensor(black) - 1


@torch.no_grad()
def initialise(layer: nn.Module) -> None:
    """As the paper: evenly between -2.4/F and 2.4/F, where F is the number of inputs of the unit."""
    if isinstance(layer, ConnectedConv2d):
        inputs = 25 * torch.tensor([len(row) for row in CONNECTIONS])
        layer.weight.uniform_(-2.4, 2.4).div_(inputs[layer.pairs[0], None, None])
        layer.bias.uniform_(-2.4, 2.4).div_(inputs)
    elif isinstance(layer, SubSampling | nn.Conv2d | nn.Linear):
        bound = 2.4 / (4 if isinstance(layer, SubSampling) else layer.weight[0].numel())
        layer.weight.uniform_(-bound, bound)
        layer.bias.uniform_(-bound, bound)


def lenet(in_channels: int = 1, num_classes: int = 10) -> LeNet:
    """Today's LeNet: 61,706 parameters with one input channel, 62,006 with three."""
    return LeNet(in_channels, num_classes)


def lenet5() -> LeNet5:
    """LeNet-5 as published: 60,000 trainable parameters, ten digits, outputs at most 0."""
    return LeNet5()


def lenet_cifar(in_channels: int = 3, num_classes: int = 10) -> LeNet:
    """Today's LeNet for colour images: 62,006 parameters."""
    return LeNet(in_channels, num_classes)
