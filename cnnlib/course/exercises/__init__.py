"""The exercises of the course: what must hold for an answer and how it usually fails. No solution stands here."""

from cnnlib.course.checks import Exercise
from cnnlib.course.exercises import ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08, ch09, ch10, ch11, ch12

CHAPTERS = (ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08, ch09, ch10, ch11, ch12)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for chapter in CHAPTERS for exercise in chapter.EXERCISES}
