"""The field lab: pick a layer of a network and see what one of its units looks at."""

from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib import plots
from cnnlib.analysis import receptive_field, summary
from cnnlib.analysis.receptive_field import WINDOWS, along
from cnnlib.widgets.live import Live

SHOWN = 112  # pixels a side that are sent: enough to see a picture by


class FieldLab(Live):
    """A network as a column of layers; pick one and a place on its map, and see the pixels that this unit sees.

    `model` is a network whose `features` are windows (see `cnnlib.analysis.receptive_field`), `image` a square picture
    C×H×W, values from 0 to 1, `side` the size at which the network reads it (that of the image, unless given); modules
    nested deeper than `depth` are one with their parents.
    """

    name = "fields"

    def __init__(self, model: nn.Module, image: Tensor, side: int | None = None, depth: int = 1) -> None:
        side = side or image.shape[-1]
        features = getattr(model, "features", model)
        modules = dict(features.named_modules())
        channels = next(module.in_channels for module in modules.values() if isinstance(module, nn.Conv2d))
        shapes = {cost.name: cost.shape for cost in summary(features, (channels, side, side), depth)}
        layers = []
        for field in receptive_field(model, depth):
            module = modules[field.name]
            sees = {"size": field.size[1], "step": field.step[1], "start": field.start[1]}
            windowed = isinstance(module, WINDOWS)
            if not windowed and layers and sees.items() <= layers[-1].items():
                continue  # it passes on what the layer before it sees
            layers.append(
                {
                    "name": f"{field.name}: {type(module).__name__}" if field.name else "the last map",
                    "units": shapes[field.name][-1],
                    # kernel, stride, dilation; empty for what is no single window
                    "window": [along(module, what, 1) for what in ("kernel_size", "stride", "dilation")] * windowed,
                    **sees,
                }
            )
        shown = F.interpolate(image[None].float(), size=min(side, SHOWN), mode="bilinear", antialias=True)[0].mean(0)
        state = {"side": side, "shown": len(shown), "layers": layers}
        state["pixels"] = [round(255 * value) for value in shown.clamp(0, 1).flatten().tolist()]
        last, title = layers[-1], "What one unit sees"
        finding = f"A unit of the last map sees {last['size']} pixels a side of the picture's {side}."
        super().__init__(state, plots.images(shown[None, None], [f"{side}×{side} pixels"], title, 4, finding=finding))
