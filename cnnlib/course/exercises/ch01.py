"""Exercises of chapter 01: convolution."""

from cnnlib.course.checks import Exercise

EXERCISES: tuple[Exercise, ...] = ()
