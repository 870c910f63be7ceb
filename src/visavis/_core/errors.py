"""The exceptions that a caller may want to catch, and nothing else.

Plain ``ValueError``, ``TypeError`` and ``ImportError`` serve everywhere a caller would not act on
the difference. Where an error has a stable code (``VV001`` ...), it stands in ``code``.
"""


class DegenerateInputError(ValueError):
    """The input has no answer: NaN, infinity, a constant representation, an undefined ratio."""


class SaturatedError(ValueError):
    """A measure that invertible linear maps cannot change was asked for a meaningless case.

    Theorem 1 of Kornblith et al. (2019): with as many dimensions as samples every such measure
    takes the same value for all representations. Finding ``VV014``.
    """

    code = "VV014"


class SampleMismatchError(ValueError):
    """Rows of two representations do not describe the same samples (``VV001`` or ``VV007``)."""

    def __init__(self, message: str, *, code: str = "VV001") -> None:
        super().__init__(message)
        self.code = code


class LayerNotFoundError(LookupError):
    """No layer of the model has the requested name, or none matches the requested pattern."""


class StoreFormatError(ValueError):
    """A file is not what its name or its manifest says it is."""
