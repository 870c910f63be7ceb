"""Nested values: what models take and give back, as a flat run of leaves with their paths."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every leaf of `value` with its path.

    Mappings, dataclasses, named tuples, tuples and lists are opened; everything else is a leaf.

    Examples
    --------
    >>> list(leaves({"hidden": (1, 2), "cache": None}))
    [('[hidden][0]', 1), ('[hidden][1]', 2), ('[cache]', None)]
    >>> list(leaves(3))
    [('', 3)]
    """
    children = _children(value)
    if children is None:
        yield "", value
        return
    for key, child in children:
        for path, leaf in leaves(child):
            yield f"[{key}]{path}", leaf


def _children(value: Any) -> Iterable[tuple[Any, Any]] | None:
    # The outputs of transformers are both a mapping and a dataclass; as a mapping they leave out
    # what is None.
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, (tuple, list)):
        names = getattr(value, "_fields", None)
        return enumerate(value) if names is None else zip(names, value, strict=True)
    if is_dataclass(value) and not isinstance(value, type):
        return ((field.name, getattr(value, field.name, None)) for field in fields(value))
    return None
