"""The list of all exercises."""

from cnnlib.course.exercises import CHAPTERS, EXERCISES


def test_no_two_exercises_share_a_name():
    assert len(EXERCISES) == sum(len(chapter.EXERCISES) for chapter in CHAPTERS)
