"""Layer names on axes: any text, made printable, short and few enough to read."""

import unicodedata
from collections.abc import Sequence

from visavis._core.text import printable

ELLIPSIS = "…"
SHORT = 22
LONGEST = 40
MOST_TICKS = 40


def shorten(name: str, limit: int) -> str:
    """Return `name` with its middle left out, at dots where there are any, in `limit` characters.

    Examples
    --------
    >>> shorten("encoder.layers.11.attention.output", 26)
    'encoder…attention.output'
    """
    if len(name) <= limit:
        return name
    head = name.split(".", 1)[0]
    room = limit - len(head) - len(ELLIPSIS)
    starts = [at + 1 for at in range(len(head) + 1, len(name)) if name[at] == "."]
    tail = next((name[at:] for at in starts if len(name) - at <= room), "")
    if tail:
        return f"{head}{ELLIPSIS}{tail}"
    # The end of a name tells layers apart more often than its beginning.
    kept = limit - len(ELLIPSIS)
    return name[: kept // 3] + ELLIPSIS + name[len(name) - (kept - kept // 3) :]


def short(names: Sequence[str]) -> list[str]:
    """Return printable labels, shortened as far as different names stay different.

    Labels have `SHORT` characters, or as many more as it takes to tell them apart, up to `LONGEST`.

    Examples
    --------
    >>> short([f"model.encoder.layers.{i}.attention" for i in (0, 1)])
    ['model…0.attention', 'model…1.attention']
    """
    clean = [printable(name) for name in names]
    labels = clean
    for limit in range(SHORT, LONGEST + 1):
        labels = [shorten(name, limit) for name in clean]
        if len(set(labels)) == len(set(clean)):
            break
    return labels


def columns(text: str) -> int:
    """Return the width of `text` in a monospaced font, where East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def ticks(count: int, room: float) -> range:
    """Return the positions to label, so that at most `room` and at most `MOST_TICKS` are.

    Every position if they fit, else every 2nd, 5th, 10th, 20th ... from the first layer on.

    Examples
    --------
    >>> list(ticks(12, room=6))
    [0, 2, 4, 6, 8, 10]
    """
    most = max(1, min(int(room), MOST_TICKS))
    step, scale = 1, 1
    while -(-count // step) > most:
        step, scale = {1: (2, scale), 2: (5, scale), 5: (1, 10 * scale)}[step // scale]
        step *= scale
    return range(0, count, step)
