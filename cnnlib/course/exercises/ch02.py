"""Exercises of chapter 02: pooling and receptive fields."""

from cnnlib.course.checks import Exercise

EXERCISES: tuple[Exercise, ...] = ()
