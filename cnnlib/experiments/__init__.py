"""Every experiment of the course, by name: `python -m cnnlib run NAME`."""

from cnnlib.experiments import (
    alexnets,
    aux_heads,
    inceptions,
    ladder,
    lenets,
    nins,
    pixel_shuffle,
    small_kernels,
    small_vgg,
)

EXPERIMENTS = {
    "pixel-shuffle": pixel_shuffle,
    "lenets": lenets,
    "alexnets": alexnets,
    "small-kernels": small_kernels,
    "small-vgg": small_vgg,
    "nins": nins,
    "ladder": ladder,
    "inceptions": inceptions,
    "aux-heads": aux_heads,
}
