"""Every experiment of the course, by name: `python -m cnnlib run NAME`."""

from cnnlib.experiments import (
    alexnets,
    aux_heads,
    degradation,
    densenets,
    inceptions,
    ladder,
    lenets,
    lesions,
    nins,
    orders,
    pixel_shuffle,
    scaling,
    searches,
    small_kernels,
    small_vgg,
    tournament,
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
    "degradation": degradation,
    "lesions": lesions,
    "densenets": densenets,
    "scaling": scaling,
    "searches": searches,
    "orders": orders,
    "tournament": tournament,
}
