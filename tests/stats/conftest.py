"""The libraries of `tests.backends` as fixtures here too."""

from tests.backends.conftest import home, xp

__all__ = ["home", "xp"]
