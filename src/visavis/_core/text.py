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


def size(count: float) -> str:
    """Return a number of bytes in words.

    Examples
    --------
    >>> size(2.5e9)
    '2.5 GB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(0.25), duration(75), duration(600)
    ('0.2 s', '75 s', '10 min')
    """
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or unicodedata.bidirectional(character) in _REORDERING
    )
