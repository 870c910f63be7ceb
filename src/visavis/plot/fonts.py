"""Fonts for names in any script."""

from functools import cache

import matplotlib as mpl
from matplotlib import font_manager

# Widespread fonts with wide coverage, by system; only those that are installed are asked for.
_WIDE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Arabic",
    "Nirmala UI",
    "Segoe UI",
)


def family(text: str) -> list[str]:
    """Return the caller's font families, and after them fonts that may hold what they lack.

    For Latin text nothing is added: looking for fonts takes time.
    """
    chosen = list(mpl.rcParams["font.family"])
    return chosen if all(ord(each) < 0x250 for each in text) else [*chosen, *_installed()]


@cache
def _installed() -> tuple[str, ...]:
    known = set(font_manager.get_font_names())
    return tuple(name for name in _WIDE if name in known)
