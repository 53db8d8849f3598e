"""Exercises of chapter 04: LeNet."""

from cnnlib.course.checks import Exercise

EXERCISES: tuple[Exercise, ...] = ()
