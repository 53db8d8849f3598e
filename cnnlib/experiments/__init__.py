"""Every experiment of the course, by name: `python -m cnnlib run NAME`."""

from cnnlib.experiments import pixel_shuffle

EXPERIMENTS = {"pixel-shuffle": pixel_shuffle}
