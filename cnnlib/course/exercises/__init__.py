"""The exercises of the course: what must hold for an answer and how it usually fails. No solution stands here."""

from cnnlib.course.checks import Exercise
from cnnlib.course.exercises import ch03

EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in [*ch03.EXERCISES]}
