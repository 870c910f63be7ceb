"""The libraries as fixtures."""

import pytest
from tests.backends.libraries import LIBRARIES, Library


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def xp(request):
    """Each library in turn."""
    library: Library = request.param
    with library.enabled():
        yield library


@pytest.fixture(
    params=[(library, dtype) for library in LIBRARIES.values() for dtype in library.dtypes],
    ids=lambda param: f"{param[0].name}, {param[1]}",
)
def home(request):
    """Each library with each of the floats that it computes in: the function that makes arrays."""
    library, dtype = request.param
    with library.enabled():
        yield lambda x: library.array(x.astype(dtype))
