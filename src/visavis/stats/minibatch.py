"""CKA from batches that are too wide for anything else: sums of HSIC within each batch.

The ratio of summed debiased HSIC is a fair estimate (Nguyen, Raghu & Kornblith 2021); a mean of
biased CKA per batch is not: it grows as batches shrink.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.stats.gram import Gram, crossed

LEAST_ROWS = 4


@dataclass(frozen=True, eq=False)
class Minibatches:
    """HSIC₁ of all pairs of layers, batch by batch: a value, never changed; `merge` is associative.

    Parameters
    ----------
    rows : tuple of int
        The rows of each batch.
    cross : tuple of ndarray, each (k_x, k_y)
        HSIC₁ of each layer of one side with each of the other, in units of their own.
    left, right : tuple of ndarray, (k_x,) and (k_y,)
        HSIC₁ of each layer with itself.
    """

    rows: tuple[int, ...] = ()
    cross: tuple[np.ndarray, ...] = ()
    left: tuple[np.ndarray, ...] = ()
    right: tuple[np.ndarray, ...] = ()

    def update(
        self,
        xs: Sequence[Array],
        ys: Sequence[Array],
        kernels: tuple[Kernel, Kernel],
    ) -> "Minibatches":
        """Return the state after one more batch.

        Parameters
        ----------
        xs, ys : sequence of array, each (b, p)
            The layers of both sides on the same b samples, four at least; the same object twice if
            a model is compared with itself.
        kernels : pair of Kernel
            Of the two sides. A bandwidth is that of the batch.
        """
        n = int(xs[0].shape[0])
        if n < LEAST_ROWS:
            raise ValueError(
                checks.message("minibatch", "batch", f"have at least {LEAST_ROWS} rows", f"{n}")
            )
        with checks.quiet():
            x = [Gram.of(each, kernels[0]) for each in xs]
            same = xs is ys and kernels[0] == kernels[1]
            y = x if same else [Gram.of(each, kernels[1]) for each in ys]
            off = array.to_numpy(crossed(x, y))
            sums = [_stacked([each.sums for each in side]) for side in (x, y)]
            units = [np.array([_number(each.unit) for each in side]) for side in (x, y)]
            inner = sums[0] @ sums[1].T
            totals = np.outer(sums[0].sum(1), sums[1].sum(1))
            # In the units of the features, so that batches may be added up; a power of two each.
            cross = _debiased(off, inner, totals, n) / np.outer(units[0] ** 2, units[1] ** 2)
            own = [
                np.array([_number(each.norm("debiased")) ** 2 for each in side]) / unit**4
                for side, unit in zip((x, y), units, strict=True)
            ]
        return Minibatches(
            (*self.rows, n), (*self.cross, cross), (*self.left, own[0]), (*self.right, own[1])
        )

    def merge(self, other: "Minibatches") -> "Minibatches":
        """Return the state of the batches of both."""
        return Minibatches(
            self.rows + other.rows,
            self.cross + other.cross,
            self.left + other.left,
            self.right + other.right,
        )

    @property
    def n(self) -> int:
        """Number of samples."""
        return sum(self.rows)

    def cka(self) -> tuple[np.ndarray, np.ndarray]:
        """Return CKA of all pairs, and its standard error from the values without each batch.

        Batches count by their rows. With a single batch there is no standard error: NaN.
        """
        weights = np.array(self.rows, dtype=float)
        parts = [np.stack(each) for each in (self.cross, self.left, self.right)]
        weighted = [np.tensordot(weights, each, axes=1) for each in parts]
        value = _ratio(*weighted)
        count = len(weights)
        if count < 2:
            return value, np.full_like(value, np.nan)
        without = np.stack(
            [
                _ratio(*(t - w * part[k] for t, part in zip(weighted, parts, strict=True)))
                for k, w in enumerate(weights)
            ]
        )
        spread = ((without - without.mean(axis=0)) ** 2).sum(axis=0)
        return value, np.sqrt((count - 1) / count * spread)

    def hsic(self) -> np.ndarray:
        """Return HSIC₁ of all pairs, the mean over batches by their rows."""
        return np.average(np.stack(self.cross), axis=0, weights=self.rows)


def _debiased(off: np.ndarray, rows: np.ndarray, totals: np.ndarray, n: int) -> np.ndarray:
    return (off + totals / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows) / (n * (n - 3))


def _ratio(cross: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    with checks.quiet():
        return cross / np.sqrt(left)[:, None] / np.sqrt(right)[None, :]


def _stacked(sums: Sequence[Array]) -> np.ndarray:
    return np.stack([array.to_numpy(each) for each in sums])


def _number(value: Array | float) -> float:
    return float(value) if isinstance(value, float) else float(array.to_numpy(value))
