"""Layers that several networks share."""

from torch import nn


def linear_classifier(in_channels: int, num_classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Global average pool, dropout, one linear layer: N×C×H×W maps to N×classes logits, for any H and W."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(in_channels, num_classes)
    )


class ConvNormAct(nn.Sequential):
    """Convolution that keeps the map's size at stride 1, batch norm, activation. No bias: the norm has one."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        activation: type[nn.Module] = nn.ReLU,
    ) -> None:
        padding = (kernel_size - 1) // 2
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False),
            nn.BatchNorm2d(out_channels),
            activation(),
        )
