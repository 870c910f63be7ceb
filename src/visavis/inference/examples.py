"""Which examples two models see differently."""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.types import Array
from visavis.inference.contributions import aligned, identities, readable
from visavis.inference.row_sums import RowSums
from visavis.measures import MeasureSpec

MINIMUM_ROWS = 4
# Two agreements that differ by less are equal: their order is that of the rows.
DIGITS = 12
# What a side brings to a row that is this small a part of the mean is rounding.
NOTHING = 1e-12


@dataclass(frozen=True)
class Example:
    """How alike two representations see one sample.

    Parameters
    ----------
    row : int
        Its position.
    id : hashable
        What it is called; the position if it has no name.
    agreement : float
        −1 to 1: how alike its similarities to all others are. NaN if a side sees it as equally far
        from all others, so that there is nothing to agree with.
    weight : float
        What the agreement counts for in CKA, which is the sum of all weights times agreements.
    like_x, like_y : tuple
        The samples most like it on either side, the first the most.
    """

    row: int
    id: Any
    agreement: float
    weight: float
    like_x: tuple[Any, ...]
    like_y: tuple[Any, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the example as plain data."""
        return asdict(self)


def different_examples(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    ids: Sequence[Hashable] | Array | None = None,
    top: int | None = 20,
) -> list[Example]:
    """Return the samples that two representations see differently, the most different first.

    The agreement about sample i is the cosine between row i of both centred Gram matrices:
    pointwise normalised kernel alignment [1]_, here without the similarity of the sample to itself,
    which would make all samples of wide layers agree.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        ``cka``, of any kernel: what it sees as alike. Biased, it counts the similarity of a sample
        to itself, as [1]_ does.
    ids : sequence, length n, optional
        What the samples are called.
    top : int, optional
        How many; None for all.

    Returns
    -------
    list of Example
        By rising agreement, ties in the order of the rows; without an agreement last.

    Raises
    ------
    ValueError
        If the measure is another, or there are fewer than 4 samples.
    DegenerateInputError
        If a side has no CKA even with itself.

    Notes
    -----
    Samples near the mean of a representation are like nothing in particular: their agreement is
    mostly noise, and their ``weight`` small. *Cost*: that of CKA, a few times; no n × n matrix with
    the linear kernel on narrow layers.

    References
    ----------
    .. [1] Kolling, Speicher, Nanda, Toneva & Gummadi (2023), arXiv:2305.19294.

    Examples
    --------
    One sample is another one's double in Y:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 10))
    >>> Y = X.copy()
    >>> Y[7] = X[3] + 0.1
    >>> [found] = vv.inference.different_examples(X, Y, top=1)
    >>> found.row, found.like_y[0]
    (7, 3)
    """
    where = "different_examples"
    known, kernels = aligned(where, measure)
    if top is not None:
        checks.count(where, "top", top)
    X, Y = readable(where, X, Y, MINIMUM_ROWS)
    n = int(X.shape[0])
    named = identities(where, ids, n) or tuple(range(n))
    sums = RowSums.of(where, X, Y, kernels, known.settings["estimator"])
    agreement = agreements(sums)
    norms = np.sqrt(np.maximum(sums.xx, 0) * np.maximum(sums.yy, 0))
    order = np.argsort(np.round(agreement, DIGITS), kind="stable")[:top].tolist()  # NaN comes last
    return [
        Example(
            row,
            named[row],
            float(agreement[row]),
            float(norms[row]) / sums.norm,
            *(
                tuple(named[other] for other in side.likest(row, 3).tolist())
                for side in (sums.x, sums.y)
            ),
        )
        for row in order
    ]


def agreements(sums: RowSums) -> np.ndarray:
    """Return the cosine between each row of two centred Gram matrices; NaN where one is zero."""
    seen = (sums.xx > NOTHING * sums.xx.mean()) & (sums.yy > NOTHING * sums.yy.mean())
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sums.xy / np.sqrt(sums.xx * sums.yy)
    return np.where(seen, found, np.nan)
