"""What can be wrong with two representations as they are: rows, directions, features, copies."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from visavis._core import array
from visavis._core.types import Array
from visavis.inference.case import LISTED, Case, counted, worded
from visavis.inference.contributions import scored
from visavis.inference.robustness import (
    constant_features,
    fewest_rows,
    share_of,
    standardised,
    without_directions,
    without_rows,
)
from visavis.inference.row_sums import taken
from visavis.inference.sides import host
from visavis.results import Finding

# What few rows, and one direction, must hold to be named.
ROWS, CARRIED, DOMINANT = 0.01, 0.5, 0.9
# Of a direction. A single outlier among n rows holds (n − 1)/n of the scores.
MOST = 0.8
# The share of constant features that is worth a note, and a warning.
DEAD, MOSTLY = 0.1, 0.5
# The share of rows of one side that are copies of others, though those of the other side are not.
COLLAPSED = 0.1
# How far a CKA moves where the scale of the features decides it.
SCALE = 0.2


def few_rows(case: Case) -> Iterator[Finding]:
    """Yield VV005: one in a hundred rows brings more than half of the score, or moves it so."""
    count = share_of(case.n, ROWS)
    value, found = case.sums.value, case.rows
    rows, left = without_rows(found, case.X, case.Y, case.measure, count)
    rest = left or 0.0
    if abs(value - rest) > max(case.least, CARRIED * max(abs(value), abs(rest))):
        if left is not None:
            rows, left = fewest_rows(rows, case.X, case.Y, case.measure, value, left)
        yield _deciding(case, np.sort(rows), left)
        return
    top = np.sort(np.argsort(-found.parts, kind="stable")[:count])
    if value > case.least and case.sums.involved(top) > CARRIED * value:
        yield _carrying(case, top)


def _deciding(case: Case, rows: np.ndarray, left: float | None) -> Finding:
    value, one = case.sums.value, len(rows) == 1
    verb = "raise" if value > (left or 0.0) else "lower"
    return case.finding(
        "VV005",
        f"{counted(len(rows), 'row')} of {case.n} ({case.called(rows)}) {verb}{'s' if one else ''} "
        f"{case.label} to {value:.2f}; without {'it' if one else 'them'} it is {worded(left)}.",
        "Look at these samples before the score: are they of the population that it is about? If "
        "not, leave them out; if so, report both values.",
        evidence=_weights(case, rows) | ({} if left is None else {"score_without": left}),
    )


def _carrying(case: Case, rows: np.ndarray) -> Finding:
    value, rest = case.sums.value, np.delete(np.arange(case.n), rows)
    left = scored(case.measure, taken(case.X, rest), taken(case.Y, rest))
    share = case.sums.involved(rows) / value
    return case.finding(
        "VV005",
        f"pairs with {counted(len(rows), 'row')} of {case.n} ({case.called(rows)}) bring "
        f"{100 * share:.0f} % of {case.label}, {value:.2f}; without them it is {worded(left)}, so "
        "that it does not rest on them alone.",
        "The score stands, but look at these samples.",
        severity="info",
        evidence=_weights(case, rows) | {"share": share, "score_without": left},
    )


def _weights(case: Case, rows: np.ndarray) -> dict[str, Any]:
    return {
        "rows": case.called(rows),
        "score": case.sums.value,
        "weight_x": float(case.rows.weight_x[rows].sum()),
        "weight_y": float(case.rows.weight_y[rows].sum()),
    }


def dominant_directions(case: Case) -> Iterator[Finding]:
    """Yield VV004 for each side whose first principal direction holds nearly all of Σλ²."""
    x, y = case.principal
    without = without_directions(x, y, case.measure, 1)
    overlap = float(array.to_numpy(x.left[:, 0] @ y.left[:, 0])) ** 2
    for side, (each, name) in enumerate(zip(case.principal, case.names, strict=True)):
        power = float(each.values[0] ** 2 / each.square)
        if power <= DOMINANT:
            continue
        variance = float(each.values[0] / each.trace)
        cause, evidence = "", {}
        rows, features = most_of(each.scores(0)), most_of(each.loadings(0))
        if len(rows) <= share_of(case.n, ROWS):
            evidence = {"rows": case.called(rows)}
            cause = f" It is {counted(len(rows), 'row')} ({evidence['rows']}) against all others."
        elif len(features) <= share_of(int(each.features.shape[1]), ROWS) < each.features.shape[1]:
            listed = ", ".join(map(str, features[:LISTED].tolist()))
            evidence = {"features": listed}
            cause = f" It is little but {counted(len(features), 'feature')} ({listed})."
        yield case.finding(
            "VV004",
            f"one direction of {name} holds {100 * variance:.0f} % of its variance and "
            f"{100 * power:.0f} % of what linear CKA weighs (Σλ²).{cause} Without the first "
            f"direction of each side {case.label} is {worded(without)}, with them "
            f"{case.sums.value:.2f}.",
            "Report the score without it beside the score, or compare z-scored features.",
            side=side,
            evidence={
                "side": name,
                "power": power,
                "variance": variance,
                "overlap_of_first": overlap,
                "score": case.sums.value,
                **({} if without is None else {"score_without": without}),
                **evidence,
            },
        )


def most_of(shares: np.ndarray) -> np.ndarray:
    """Return the fewest places that hold most of what adds up to 1, in order."""
    order = np.argsort(-shares, kind="stable")
    return np.sort(order[: int(np.searchsorted(np.cumsum(shares[order]), MOST)) + 1])


def feature_scale(case: Case) -> Iterator[Finding]:
    """Yield VV019: the score is another one where all features count alike."""
    value, even = case.sums.value, standardised(case.X, case.Y, case.measure)
    if even is None or abs(value - even) <= max(SCALE, case.least):
        return
    shares = {}
    for name, X in zip("xy", (case.X, case.Y), strict=True):
        xp = array.namespace(X)
        wide = array.widen(X)
        variances = host(xp.var(wide / xp.max(xp.abs(wide)), axis=0))
        count = share_of(len(variances), ROWS)
        shares[name] = (count, float(np.sort(variances)[-count:].sum() / variances.sum()))
    told = " and ".join(
        f"{counted(count, 'feature')} of {X.shape[1]} {'holds' if count == 1 else 'hold'} "
        f"{100 * share:.0f} % of the variance of {name}"
        for (count, share), (name, X) in zip(shares.values(), case.sides, strict=True)
    )
    yield case.finding(
        "VV019",
        f"{case.label} is {value:.2f}, and {even:.2f} with every feature at standard deviation 1; "
        f"{told}.",
        "Report both, and say which of them answers your question.",
        evidence={
            "score": value,
            "score_standardised": even,
            **{f"variance_of_top_{name}": share for name, (_, share) in shares.items()},
        },
    )


def dead_features(sides: tuple[tuple[str, Array], ...], *, named: bool) -> Iterator[Finding]:
    """Yield VV006 for each side with many constant features (not all of them)."""
    for name, X in sides:
        p = int(X.shape[1])
        constant = constant_features(X)
        dead = int(constant.sum())
        if not DEAD * p <= dead < p:
            continue
        zero = int((constant & (host(array.namespace(X).max(X, axis=0)) == 0)).sum())
        yield Finding(
            "VV006",
            f"{dead} of {p} features of {name} are constant over the samples, {zero} of them zero.",
            "CKA does not see them; measures that pair features count them. Leave them out there.",
            severity="warning" if dead > MOSTLY * p else "info",
            layers=(name,) if named else (),
            evidence={"side": name, "constant": dead, "zero": zero, "features": p},
        )


def copies(case: Case) -> Iterator[Finding]:
    """Yield VV016: rows that repeat another one exactly, on both sides or on one."""
    labels = [_same(X) for _, X in case.sides]
    both = np.unique(np.stack(labels, axis=1), axis=0, return_index=True)[1]
    repeats = case.n - len(both)
    alone = [case.n - (int(each.max()) + 1) - repeats for each in labels]
    if repeats:
        kept = np.sort(both)
        left = (
            scored(case.measure, taken(case.X, kept), taken(case.Y, kept))
            if len(kept) >= case.measure.minimum_rows
            else float("nan")
        )
        left = None if np.isnan(left) else left
        again = np.delete(np.arange(case.n), kept)
        yield case.finding(
            "VV016",
            f"{repeats} of {case.n} rows repeat another one on both sides; without them "
            f"{case.label} is {worded(left)}, with them {case.sums.value:.2f}.",
            "Drop the repeats: a copy adds weight to a sample, but no evidence.",
            evidence={
                "repeats": repeats,
                "rows": case.called(again),
                "score": case.sums.value,
                **({} if left is None else {"score_without": left}),
            },
        )
    for side, (name, more) in enumerate(zip(case.names, alone, strict=True)):
        if more > COLLAPSED * case.n:
            yield case.finding(
                "VV016",
                f"{more} of {case.n} rows of {name} are the same as another one, though the other "
                "side tells them apart.",
                "Neighbours among them are told by their order alone: be careful with measures of "
                "neighbourhoods.",
                severity="info",
                side=side,
                evidence={"side": name, "repeats": more},
            )


def _same(X: Array) -> np.ndarray:
    """Return a number for each row that identical rows share."""
    whole = np.ascontiguousarray(array.to_numpy(X) + 0.0)  # −0 is 0
    whole = whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize)))[:, 0]
    return np.unique(whole, return_inverse=True)[1]


def halved(sides: tuple[tuple[str, Array], ...], *, named: bool) -> Iterator[Finding]:
    """Yield VV015 for representations that came in half precision, before they were lifted."""
    for name, X in sides:
        dtype = array.dtype_name(X)
        if dtype in array.HALF:
            yield Finding(
                "VV015",
                f"{name} is in {dtype}; it is compared in float32.",
                "Differences in the third digit are rounding; extract in float32 to see them.",
                severity="info",
                layers=(name,) if named else (),
                evidence={"side": name, "dtype": dtype},
            )
