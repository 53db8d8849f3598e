import pytest

from cnnlib.models import MODELS
from tests.models.twins import TWINS, same_logits

pytestmark = pytest.mark.torchvision


@pytest.mark.parametrize("name", [name for name in TWINS if name in MODELS])
def test_logits_are_those_of_torchvision_s_twin(name):
    assert same_logits(name) == 0
