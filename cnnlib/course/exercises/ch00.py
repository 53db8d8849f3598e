"""Exercises of chapter 00: the lab and its images."""

from cnnlib.course.checks import Exercise

EXERCISES: tuple[Exercise, ...] = ()
