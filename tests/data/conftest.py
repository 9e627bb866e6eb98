"""A folder to put data files into."""

import pytest

from tests.data.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)
