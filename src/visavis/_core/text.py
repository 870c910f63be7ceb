"""Text from files and models, made safe to show."""

import unicodedata

# Line breaks, control characters, halves of characters, and marks that reverse the reading order
# would move, hide or forge the text around a name, or make a file that cannot be written.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REORDERING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def printable(text: str) -> str:
    r"""Return `text` with what would not show, or would break the line, written as escapes.

    Examples
    --------
    >>> print(printable("conv\n1"))
    conv\n1
    """
    return "".join(
        character.encode("unicode_escape").decode() if _hidden(character) else character
        for character in text
    )


def _hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or unicodedata.bidirectional(character) in _REORDERING
    )
