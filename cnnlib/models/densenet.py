"""DenseNet: Huang and others, "Densely Connected Convolutional Networks" (2016), arXiv:1608.06993.

`densenet121` and its kin are the paper's DenseNet-BC: layers with a bottleneck, transitions that halve the channels.
`densenet_cifar` is the plain one. The dropout of 0.2, which the paper uses only where images are not augmented, is left
out. Initialisation is He's.

`checkpointed` saves memory in training as in Pleiss and others (2017), arXiv:1707.06990.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cnnlib.layers import linear_classifier

__all__ = ["densenet121", "densenet161", "densenet169", "densenet201", "densenet_cifar"]

# Table 1, for 161 the authors' own list of models: layers of the four dense blocks, and the growth rate k.
BLOCKS = {
    121: ((6, 12, 24, 16), 32),
    169: ((6, 12, 32, 32), 32),
    201: ((6, 12, 48, 32), 32),
    161: ((6, 12, 36, 24), 48),
}


def norm_act_conv(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    """Batch norm, ReLU, convolution, in this order: what arrives was put together from several layers."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight)
    return nn.Sequential(nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True), conv)


class DenseLayer(nn.Module):
    """All earlier maps of the block in, k new ones out (equation 2)."""

    def __init__(self, first: nn.Sequential, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.checkpointed = False

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        if self.checkpointed:
            contexts = self.contexts
            return self.second(
                checkpoint(self.join, *maps, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)
            )
        return self.second(self.join(*maps))

    def join(self, *maps: Tensor) -> Tensor:
        """Stack the maps and run the layer's first part. Norm and ReLU make two copies of the whole stack."""
        return self.first(torch.cat(maps, dim=1))

    def contexts(self) -> tuple[AbstractContextManager, AbstractContextManager]:
        """For the first run and for the one in the backward pass, which must not count the batch again."""
        return nullcontext(), statistics_kept(self.first[0])


@contextmanager
def statistics_kept(norm: nn.BatchNorm2d) -> Iterator[None]:
    """Inside, the norm leaves its running statistics alone."""
    counter, momentum = norm.num_batches_tracked, norm.momentum
    norm.num_batches_tracked, norm.momentum = None, 0.0
    try:
        yield
    finally:
        norm.num_batches_tracked, norm.momentum = counter, momentum


def plain_layer(in_channels: int, growth: int) -> DenseLayer:
    """One 3×3 convolution (section 3)."""
    return DenseLayer(norm_act_conv(in_channels, growth, 3), nn.Identity())


def bottleneck_layer(in_channels: int, growth: int) -> DenseLayer:
    """1×1 to 4k channels, then 3×3: the B of DenseNet-BC."""
    return DenseLayer(norm_act_conv(in_channels, 4 * growth, 1), norm_act_conv(4 * growth, growth, 3))


class DenseBlock(nn.ModuleList):
    """L layers, each fed by all before it: L(L+1)/2 connections. N×C×H×W becomes N×(C+Lk)×H×W."""

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self:
            maps.append(layer(maps))
        return torch.cat(maps, dim=1)


class DenseNet(nn.Module):
    """A stem that makes `channels` maps, then dense blocks with transitions between them, which halve the maps."""

    def __init__(
        self,
        stem: OrderedDict[str, nn.Module],
        channels: int,
        layer: Callable[[int, int], DenseLayer],
        blocks: tuple[int, ...],
        growth: int,
        compression: float,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(stem)
        nn.init.kaiming_normal_(stem["conv"].weight)
        for number, layers in enumerate(blocks, start=1):
            block = DenseBlock(layer(channels + i * growth, growth) for i in range(layers))
            self.features.add_module(f"dense_block{number}", block)
            channels += layers * growth
            if number < len(blocks):
                narrow = norm_act_conv(channels, int(channels * compression), 1)
                self.features.add_module(f"transition{number}", narrow.append(nn.AvgPool2d(2)))
                channels = int(channels * compression)
        self.features.add_module("norm", nn.BatchNorm2d(channels))
        self.features.add_module("relu", nn.ReLU(inplace=True))
        self.classifier = linear_classifier(channels, num_classes)
        nn.init.zeros_(self.classifier[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def checkpointed(model: DenseNet) -> DenseNet:
    """Switch the model to memory-saving training; same results, gradients and statistics.

    What a layer computes up to its first convolution is not kept for the backward pass but computed again there.
    """
    for module in model.modules():
        if isinstance(module, DenseLayer):
            module.checkpointed = True
    return model


def densenet(depth: int, num_classes: int) -> DenseNet:
    """A DenseNet-BC of Table 1, for images of 224×224."""
    blocks, growth = BLOCKS[depth]
    stem = OrderedDict(
        conv=nn.Conv2d(3, 2 * growth, 7, stride=2, padding=3, bias=False),
        stem_norm=nn.BatchNorm2d(2 * growth),
        stem_relu=nn.ReLU(inplace=True),
        pool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    return DenseNet(stem, 2 * growth, bottleneck_layer, blocks, growth, 0.5, num_classes)


def densenet121(num_classes: int = 1000) -> DenseNet:
    """121 layers: 7,978,856 parameters."""
    return densenet(121, num_classes)


def densenet161(num_classes: int = 1000) -> DenseNet:
    """161 layers with growth rate 48: 28,681,000 parameters."""
    return densenet(161, num_classes)


def densenet169(num_classes: int = 1000) -> DenseNet:
    """169 layers: 14,149,480 parameters."""
    return densenet(169, num_classes)


def densenet201(num_classes: int = 1000) -> DenseNet:
    """201 layers: 20,013,928 parameters."""
    return densenet(201, num_classes)


def densenet_cifar(in_channels: int = 3, num_classes: int = 10) -> DenseNet:
    """The paper's smallest (L=40, k=12): three blocks of twelve plain layers, no compression, 1,019,722 parameters."""
    stem = OrderedDict(conv=nn.Conv2d(in_channels, 16, 3, padding=1, bias=False))
    return DenseNet(stem, 16, plain_layer, (12, 12, 12), 12, 1.0, num_classes)
