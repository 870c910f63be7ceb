"""The libraries of `tests.backends` as fixtures here too."""

from tests.backends.conftest import home as home
from tests.backends.conftest import xp as xp
