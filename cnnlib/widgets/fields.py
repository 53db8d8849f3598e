"""The field lab: pick a network and one of its layers, and see what one of its units looks at."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib import plots
from cnnlib.analysis import receptive_field, summary
from cnnlib.analysis.receptive_field import WINDOWS, along
from cnnlib.widgets.live import Live

SHOWN = 112  # pixels a side that are sent: enough to see a picture by
MOST = 20  # layers in a column


class FieldLab(Live):
    """Networks as columns of layers; pick a layer and a place on its map, and see the pixels that this unit sees.

    `networks` is a network whose `features` are windows (see `cnnlib.analysis.receptive_field`), or several by name,
    each with the size of the pictures that it reads; `image` is a square picture C×H×W, values from 0 to 1. `side` is
    the size at which a single network reads it: that of the image, unless given.
    """

    name = "fields"

    def __init__(
        self, networks: nn.Module | Mapping[str, tuple[nn.Module, int]], image: Tensor, side: int | None = None
    ) -> None:
        if isinstance(networks, nn.Module):
            networks = {"": (networks, side or image.shape[-1])}
        shown = min(SHOWN, max(side for _, side in networks.values()))
        grey = F.interpolate(image[None].float(), size=shown, mode="bilinear", antialias=True)[0].mean(0)
        state = {
            "networks": [{"name": n, "side": side, "layers": layers(net, side)} for n, (net, side) in networks.items()],
            "shown": shown,
            "pixels": [round(255 * value) for value in grey.clamp(0, 1).flatten().tolist()],
        }
        first, title = state["networks"][0], "What one unit sees"
        side, last = first["side"], first["layers"][-1]
        finding = f"A unit of the last map sees {last['size']} pixels a side of the picture's {side}."
        super().__init__(state, plots.images(grey[None, None], [f"{side}×{side} pixels"], title, 4, finding=finding))


def layers(model: nn.Module, side: int) -> list[dict]:
    """The modules of `features`, with those inside them if that makes no more than MOST."""
    deep = column(model, side, depth=2)
    return deep if len(deep) <= MOST else column(model, side, depth=1)


def column(model: nn.Module, side: int, depth: int) -> list[dict]:
    """The layers down to `depth`: name, units a side, field, window; none that sees what the one before it does."""
    features = getattr(model, "features", model)
    modules = dict(features.named_modules())
    channels = next(module.in_channels for module in modules.values() if isinstance(module, nn.Conv2d))
    shapes = {cost.name: cost.shape for cost in summary(features, (channels, side, side), depth)}
    rows = []
    for field in receptive_field(model, depth):
        module = modules[field.name]
        sees = {"size": field.size[1], "step": field.step[1], "start": field.start[1]}
        windowed = isinstance(module, WINDOWS)
        if not windowed and rows and sees.items() <= rows[-1].items():
            continue
        rows.append(
            {
                "name": f"{field.name}: {type(module).__name__}" if field.name else "the last map",
                "units": shapes[field.name][-1],
                # kernel, stride, dilation; empty for what is no single window
                "window": [along(module, what, 1) for what in ("kernel_size", "stride", "dilation")] * windowed,
                **sees,
            }
        )
    return rows
