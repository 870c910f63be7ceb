"""Fixtures of the oracles' own tests."""

import pytest
from tests.data_makers import related


@pytest.fixture
def pair():
    return related(n=30, p=6, q=4, seed=3)
