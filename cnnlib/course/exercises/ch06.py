"""Exercises of chapter 06: VGG."""

from cnnlib.course.checks import Exercise

EXERCISES: tuple[Exercise, ...] = ()
