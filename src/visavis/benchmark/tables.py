"""Score tables of pairs of networks: checked, and brought to one table for each pair."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from visavis._core import checks

Net: TypeAlias = Hashable
Pair: TypeAlias = tuple[Net, Net]

# Both tables of a pair must agree to this part of the largest score if the measure is symmetric:
# wide enough for float32, narrow enough to notice a measure that is not.
_AGREEMENT = 1e-3


def networks(pairs: Iterable[Pair]) -> tuple[Net, ...]:
    """Return the networks in order of appearance."""
    return tuple(dict.fromkeys(net for pair in pairs for net in pair))


def checked(where: str, tables: Mapping[Pair, npt.ArrayLike]) -> dict[Pair, np.ndarray]:
    """Return the tables as float64 arrays of one square shape, or say which one is wrong."""
    if not tables:
        raise ValueError(checks.message(where, "tables", "hold a pair of networks", "none"))
    scores: dict[Pair, np.ndarray] = {}
    for pair, table in tables.items():
        _check_pair(where, pair)
        scores[pair] = _scores(where, _name(*pair), np.asarray(table))
        shape = next(iter(scores.values())).shape
        if scores[pair].shape != shape:
            raise ValueError(
                checks.message(
                    where,
                    _name(*pair),
                    f"have the shape of the first table, {shape}",
                    f"{scores[pair].shape}",
                    "Only networks of one architecture have corresponding layers.",
                )
            )
    return scores


def pairwise(
    where: str, scores: Mapping[Pair, np.ndarray], *, symmetric: bool
) -> dict[Pair, np.ndarray]:
    """Return one table for each pair (a, b), whose transpose is the view from b."""
    pairs = combinations(networks(scores), 2)
    return {pair: _of_pair(where, scores, pair, symmetric) for pair in pairs}


def _of_pair(
    where: str, scores: Mapping[Pair, np.ndarray], pair: Pair, symmetric: bool
) -> np.ndarray:
    reverse = pair[1], pair[0]
    there, back = scores.get(pair), scores.get(reverse)
    if there is not None and back is not None:
        if not symmetric:
            return there + back.T
        _check_agreement(where, pair, there, back.T)
        return there
    if symmetric and there is not None:
        return there
    if symmetric and back is not None:
        return back.T
    raise ValueError(
        checks.message(
            where,
            "tables",
            f"hold {pair if there is None else reverse}",
            f"{len(scores)} table{'s' if len(scores) > 1 else ''} without it",
            "Every pair of networks is compared."
            if symmetric
            else "A measure that is not symmetric needs both directions.",
        )
    )


def _check_pair(where: str, pair: object) -> None:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError(
            checks.message(where, "tables", "have pairs of networks (a, b) as keys", repr(pair))
        )
    if pair[0] == pair[1]:
        raise ValueError(
            checks.message(
                where,
                "tables",
                "pair different networks",
                repr(pair),
                "Leave it out: every layer is most similar to itself.",
            )
        )


def _scores(where: str, name: str, table: np.ndarray) -> np.ndarray:
    if table.dtype.kind not in "fiu":
        raise TypeError(checks.message(where, name, "hold real numbers", f"dtype {table.dtype}"))
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] < 2:
        expected = "be square, with a row and a column for each of two layers or more"
        raise ValueError(checks.message(where, name, expected, f"shape {table.shape}"))
    if np.isinf(table).any():
        row, column = np.argwhere(np.isinf(table))[0]
        raise ValueError(
            checks.message(
                where,
                name,
                "be finite, or NaN where there is no score",
                f"{table[row, column]} at row {row}, column {column}",
            )
        )
    return table.astype(np.float64)


def _check_agreement(where: str, pair: Pair, there: np.ndarray, back: np.ndarray) -> None:
    apart = np.nan_to_num(np.abs(there - back))
    row, column = np.unravel_index(apart.argmax(), apart.shape)
    if apart[row, column] > _AGREEMENT * np.nan_to_num(np.abs(there)).max():
        raise ValueError(
            checks.message(
                where,
                _name(*pair),
                f"be the transpose of {_name(*pair[::-1])}, as of a symmetric measure",
                f"{there[row, column]:.6g} and {back[row, column]:.6g} at row {row}, "
                f"column {column}",
                "Pass symmetric=False if the measure is not.",
            )
        )


def _name(a: Net, b: Net) -> str:
    return f"tables[{a!r}, {b!r}]"
