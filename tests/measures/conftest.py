"""The pair on which identities are checked: signed, and non-negative with many zeros."""

import pytest
from tests.data_makers import related, relu_like
from tests.measures.algebra import N, P, Q


@pytest.fixture(params=[related, relu_like], ids=["related", "relu-like"])
def pair(request):
    return request.param(n=N, p=P, q=Q, seed=3)
