"""The tests of answers show what they compared."""

import pytest

pytest.register_assert_rewrite("tests.course.answers")
