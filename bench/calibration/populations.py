"""Populations whose CKA is known from their covariances, and samples of them.

Linear CKA of a population is ‖Σ_xy‖²/(‖Σ_xx‖‖Σ_yy‖) whatever the distribution, so that no value to
be covered is an estimate of ours. With the same spectrum λ on both sides and
``y = ρx + √(1 − ρ²)e`` it is ρ².
"""

import math

import numpy as np

SIGNALS = {"none": 0.0, "weak": 0.1, "medium": 0.5, "strong": 0.9}
"""Names of population values of CKA."""

SPECTRA = {
    "flat": np.ones,
    "1/k": lambda p: 1 / np.arange(1, p + 1),
    "1/k²": lambda p: 1 / np.arange(1, p + 1) ** 2,
}
TAILS = ("normal", "heavy")


def value(sxy: np.ndarray, sxx: np.ndarray, syy: np.ndarray) -> float:
    """Return linear CKA of a population from its covariances."""
    return float((sxy**2).sum() / math.sqrt((sxx**2).sum() * (syy**2).sum()))


def sizes(random: np.random.Generator, n: int) -> np.ndarray:
    """Return the size of each row of a multivariate t with 5 degrees of freedom, variance 1."""
    return np.sqrt(3 / random.chisquare(5, n))


class Grams:
    """Gram matrices of one sample of x and e, from which those of y follow at any signal and tail.

    Single precision for the products of wide matrices: what it loses is a ten thousandth of what a
    sample varies.
    """

    def __init__(self, random: np.random.Generator, n: int, p: int, spectrum: str) -> None:
        scale = np.sqrt(SPECTRA[spectrum](p)).astype(np.float32)
        x, e = (random.standard_normal((n, p), dtype=np.float32) * scale for _ in "xe")
        self._parts = [(a @ b.T).astype(np.float64) for a, b in ((x, x), (e, e), (x, e))]
        self._sizes = {"normal": (np.ones(n), np.ones(n))}
        self._sizes["heavy"] = (sizes(random, n), sizes(random, n))

    def sample(self, signal: float, tails: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the Gram matrices of x and of y, of rows that are normal or multivariate t."""
        s, r = self._sizes[tails]
        xx = s[:, None] * self._parts[0] * s
        ee = r[:, None] * self._parts[1] * r
        xe = s[:, None] * self._parts[2] * r
        mixed = math.sqrt(signal * (1 - signal)) * (xe + xe.T)
        return xx, signal * xx + (1 - signal) * ee + mixed


def grouped(random: np.random.Generator, labels: np.ndarray, p: int, share: float) -> np.ndarray:
    """Return rows of variance 1 of which those of a group have a share in common."""
    n = len(labels)
    common = random.normal(size=(int(labels.max()) + 1, p))[labels]
    return math.sqrt(share) * common + math.sqrt(1 - share) * random.normal(size=(n, p))


class Seeds:
    """A model and several seeds that see it through maps of their own, with noise.

    Parameters
    ----------
    kind : {"none", "alike", "unlike"}
        Noise alone; one map for all seeds; or a map for each, at a size of its own.
    """

    WIDTH = 4

    def __init__(self, kind: str) -> None:
        self.kind = kind
        fixed = np.random.default_rng(0).normal(size=(2, self.WIDTH, self.WIDTH))
        self._fixed = fixed / 2

    def maps(self, random: np.random.Generator, count: int, side: int = 0) -> np.ndarray:
        """Return the maps of some seeds, (count, width, width)."""
        p = self.WIDTH
        if self.kind == "none":
            return np.zeros((count, p, p))
        if self.kind == "alike":
            return np.repeat(self._fixed[side : side + 1], count, axis=0)
        large = np.exp(0.6 * random.normal(size=count))[:, None, None]
        return large * random.normal(size=(count, p, p)) / 2

    def truth(self, design: str, draws: int = 200_000) -> tuple[float, float]:
        """Return the mean of CKA over seeds, of all samples that there could be, and its error."""
        random = np.random.default_rng(1)
        A, B = self.maps(random, draws), self.maps(random, draws, 1)
        if design == "all pairs":
            B = self.maps(random, draws)
        one = np.swapaxes(A, 1, 2) @ A + np.eye(self.WIDTH)
        if design == "a model":
            shared, other = A, np.broadcast_to(np.eye(self.WIDTH), A.shape)
        else:
            shared = np.swapaxes(A, 1, 2) @ B
            other = np.swapaxes(B, 1, 2) @ B + np.eye(self.WIDTH)
        norms = (one**2).sum((1, 2)) * (other**2).sum((1, 2))
        values = (shared**2).sum((1, 2)) / np.sqrt(norms)
        return float(values.mean()), float(values.std() / math.sqrt(draws))

    def sample(self, random: np.random.Generator, n: int, count: int, design: str) -> tuple:
        """Return the arguments of `two_factor`."""
        p = self.WIDTH
        model = random.normal(size=(n, p))

        def seen(side: int) -> list[np.ndarray]:
            maps = self.maps(random, count, side)
            return [model @ each + random.normal(size=(n, p)) for each in maps]

        if design == "a model":
            return seen(0), model
        return (seen(0), seen(1)) if design == "pairs" else (seen(0),)


def few_rows(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y that have nothing in common but in 5 % of their rows, which are large."""
    rare = (random.random(n) < 0.05)[:, None]
    shared = 10 * random.normal(size=(n, 5))
    x, y = (random.normal(size=(n, 5)) + rare * shared for _ in "xy")
    return x, y


FEW_ROWS = (5 / 6) ** 2


def skewed(random: np.random.Generator, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return p lognormal features, and the same with normal noise, at CKA 0.9."""
    x = np.exp(random.normal(size=(n, p)))
    x = (x - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)
    return x, math.sqrt(0.9) * x + math.sqrt(0.1) * random.normal(size=(n, p))
