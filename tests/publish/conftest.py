"""What tests of pages share: the site of all committed chapters, built once."""

from pathlib import Path

import pytest

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """Its folder."""
    from cnnlib.publish.site import build_site

    return build_site(CHAPTERS, tmp_path_factory.mktemp("site")).parent
