"""Power: how many samples it takes to tell two values of CKA apart."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from visavis._core import checks
from visavis._core.progress import progress_bar
from visavis._core.types import Array
from visavis.inference.differences import MINIMUM_ROWS, difference
from visavis.inference.gaussian import Population, highest
from visavis.inference.sides import Centred
from visavis.kernels import linear
from visavis.results import Interval

# Data sets have no more samples than this: a test costs the cube of them. What more samples would
# have given follows from the spread at this many, which is proportional to 1/√n by then.
MOST, LEAST = 300, 20
# No more than this are looked for.
END = 10**9


@dataclass(frozen=True)
class Power:
    """How often a difference is found with a number of samples.

    Parameters
    ----------
    n : int
        How many samples.
    power : Interval
        The share of simulated data sets in which the test of `difference` finds it, with what the
        number of data sets leaves open.
    values : tuple of float
        The two values of CKA in the population that was simulated.
    simulated : int
        How many samples the data sets had. If fewer than `n`, their spread was scaled by the root
        of the two.
    """

    n: int
    power: Interval
    values: tuple[float, float]
    simulated: int

    def __str__(self) -> str:
        first, second = self.values
        return (
            f"{self.n} samples tell {first:.3f} from {second:.3f} with power {self.power.value:.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types."""
        return {
            "n": self.n,
            "power": self.power.to_dict(),
            "values": list(self.values),
            "simulated": self.simulated,
        }


def power(
    X: Array,
    Y: Array,
    Z: Array,
    /,
    *,
    n: int,
    values: tuple[float, float] | None = None,
    level: float = 0.95,
    repeats: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> Power:
    """Return how often n samples would show that X is more (or less) like Y than like Z.

    By simulation: data sets are drawn from a normal population with the spectra and values of the
    data, and the test of `difference` is done on each.

    Parameters
    ----------
    X, Y, Z : arrays (m, p), (m, q), (m, r)
        Data to plan from, such as of a first try: m samples, 20 or more.
    n : int
        With how many samples, 20 or more.
    values : pair of float, optional
        CKA of X with Y and with Z that are to be told apart, in place of those of the data.
    level : float
        One less the size of the test.
    repeats : int
        How many data sets, 20 or more.
    seed : int
        Draws them.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Power

    Raises
    ------
    ValueError
        If there are too few samples, or no population of these spectra has such values.

    Notes
    -----
    Linear kernel. Rows are independent and normal in the simulation: heavy tails and dependent rows
    take more samples. Values of few samples are uncertain themselves; give those that matter to you
    as `values`. *Cost*: `repeats` tests of at most 300 samples.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, E, F = np.random.default_rng(0).normal(size=(3, 100, 5))
    >>> few, many = (
    ...     vv.inference.power(X, X + 0.8 * E, X + F, n=n, repeats=40).power.value
    ...     for n in (30, 1000)
    ... )
    >>> few < many
    True
    """
    where = "power"
    _checked(where, level, repeats)
    if not isinstance(n, int) or isinstance(n, bool) or n < LEAST:
        raise ValueError(checks.message(where, "n", f"be a whole number, {LEAST} or more", repr(n)))
    population = _population(where, X, Y, Z, values)
    random = np.random.default_rng(seed)
    with progress_bar("simulating", repeats, show=progress) as step:
        tests = _Tests.of(population, min(n, MOST), repeats, random, step)
    return tests.at(n, level)


def samples_needed(
    X: Array,
    Y: Array,
    Z: Array,
    /,
    *,
    power: float = 0.8,
    values: tuple[float, float] | None = None,
    level: float = 0.95,
    repeats: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> Power:
    """Return how many samples show that X is more (or less) like Y than like Z.

    Parameters
    ----------
    X, Y, Z : arrays (m, p), (m, q), (m, r)
        Data to plan from: m samples, 20 or more.
    power : float
        How often the difference is to be found.
    values, level, repeats, seed, progress
        As of `power`.

    Returns
    -------
    Power
        ``n`` is the number of samples, 20 at least.

    Raises
    ------
    ValueError
        If the two values are the same, or differ by so little that 10⁹ samples do not do.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, E, F = np.random.default_rng(0).normal(size=(3, 100, 5))
    >>> near, far = (
    ...     vv.inference.samples_needed(X, X + E, X + F, values=(0.5, other), repeats=40).n
    ...     for other in (0.45, 0.3)
    ... )
    >>> near > far
    True
    """
    where = "samples_needed"
    _checked(where, level, repeats)
    if not 0 < power < 1:
        raise ValueError(checks.message(where, "power", "lie between 0 and 1", repr(power)))
    population = _population(where, X, Y, Z, values)
    first, second = population.values
    if abs(first - second) < 1e-12:
        expected, seen = "be two that differ", f"{first:.3g} twice"
        cure = "No number of samples tells them apart."
        raise ValueError(checks.message(where, "values", expected, seen, cure))
    random = np.random.default_rng(seed)
    # Two rounds of few data sets find out how large the data sets have to be.
    few = max(LEAST, repeats // 4)
    needed = int(X.shape[0])
    with progress_bar("simulating", 2 * few + repeats, show=progress) as step:

        def simulated(count: int) -> _Tests:
            size = min(max(LEAST, needed), MOST)
            return _Tests.of(population, size, count, random, step)

        for _ in range(2):
            needed = simulated(few).needed(power, level)
        tests = simulated(repeats)
        needed = tests.needed(power, level)
    return tests.at(needed, level)


@dataclass(frozen=True)
class _Tests:
    """What the test found in simulated data sets.

    Parameters
    ----------
    n : int
        How many samples each had.
    noise : ndarray, (repeats,)
        How far each difference was from that of the population, in its standard errors.
    error : ndarray, (repeats,)
        The standard errors.
    values : tuple of float
        Those of the population.
    """

    n: int
    noise: np.ndarray
    error: np.ndarray
    values: tuple[float, float]

    @classmethod
    def of(
        cls,
        population: Population,
        n: int,
        repeats: int,
        random: np.random.Generator,
        step: Callable[[], None],
    ) -> "_Tests":
        first, second = population.values
        noise, error = np.empty(repeats), np.empty(repeats)
        for k in range(repeats):
            found = difference(*population.draw(n, random))
            error[k] = found.evidence["corrected_error"]
            noise[k] = (found.value - (first - second)) / error[k]
            step()
        return cls(n, noise, error, (first, second))

    def found(self, n: int, level: float) -> np.ndarray:
        """Return in which data sets the difference would have been found with n samples."""
        error = self.error * math.sqrt(self.n / n)
        reach = float(stats.t.ppf((1 + level) / 2, n - 1))
        return np.abs(self.noise + (self.values[0] - self.values[1]) / error) > reach

    def at(self, n: int, level: float) -> Power:
        found = self.found(n, level)
        share, repeats = float(found.mean()), len(found)
        ends = stats.binomtest(int(found.sum()), repeats).proportion_ci(0.95, method="wilson")
        error = math.sqrt(share * (1 - share) / repeats)
        method = f"{repeats} simulated data sets"
        low, high = float(ends.low), float(ends.high)
        interval = Interval(share, low, high, 0.95, error, repeats, method)
        return Power(n, interval, self.values, self.n)

    def needed(self, power: float, level: float) -> int:
        """Return the fewest samples with a power."""
        low, high = LEAST - 1, LEAST
        while self.found(high, level).mean() < power:
            low, high = high, 2 * high
            if high > END:
                first, second = self.values
                expected, seen = "be farther apart", f"{first:.9g} and {second:.9g}"
                raise ValueError(checks.message("samples_needed", "values", expected, seen))
        while high - low > 1:
            middle = (low + high) // 2
            enough = self.found(middle, level).mean() >= power
            low, high = (low, middle) if enough else (middle, high)
        return high


def _checked(where: str, level: float, repeats: int) -> None:
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
    if not isinstance(repeats, int) or isinstance(repeats, bool) or repeats < 20:
        raise ValueError(checks.message(where, "repeats", "be at least 20", repr(repeats)))


def _population(
    where: str, X: Array, Y: Array, Z: Array, values: tuple[float, float] | None
) -> Population:
    X, Y = checks.pair(where, X, Y, minimum_rows=max(LEAST, MINIMUM_ROWS))
    X, Z = checks.pair(where, X, Z, minimum_rows=LEAST)
    sides = [
        (each, Centred.of(where, name, each, linear()))
        for name, each in (("X", X), ("Y", Y), ("Z", Z))
    ]
    found = Population.like(sides[0], sides[1], sides[2], values)
    if values is not None:
        for asked, name, other in zip(values, "YZ", found.spectra[1:], strict=True):
            most = highest(found.spectra[0], other)
            if not 0 <= asked <= most:
                expected = f"lie between 0 and {most:.3g} for X and {name}, by their spectra"
                raise ValueError(checks.message(where, "values", expected, repr(asked)))
    return found
