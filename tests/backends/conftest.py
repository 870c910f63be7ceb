"""The libraries as fixtures."""

import pytest
from tests.backends.libraries import LIBRARIES, SHAPES, Library


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def xp(request):
    """Each library in turn."""
    library: Library = request.param
    with library.enabled():
        yield library


@pytest.fixture(
    params=[
        (library, dtype, shape)
        for library in LIBRARIES.values()
        for dtype in library.dtypes
        for shape in library.shapes
    ],
    ids=lambda param: f"{param[0].name}, {param[1]}, {param[2]}",
)
def home(request):
    """A library, dtype and shape: the function that puts NumPy arrays there, and the shape."""
    library, dtype, shape = request.param
    with library.enabled():
        yield (lambda x: library.array(x.astype(dtype))), SHAPES[shape]
