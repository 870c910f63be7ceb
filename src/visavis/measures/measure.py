"""The record of a measure: what is true of it, and how the engine computes many of it."""

import inspect
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from visavis._core import checks
from visavis._core.types import Array
from visavis.kernels import Kernel

# What a measure may be invariant to. A map is of both sides independently unless it names one.
TRANSLATION = "translation"
SCALING = "isotropic scaling"
PERMUTATION = "feature permutation"
ORTHOGONAL = "orthogonal map"
LINEAR = "invertible linear map"
LINEAR_X = "invertible linear map of X"
LINEAR_Y = "invertible linear map of Y"
ROWS = "row permutation of Y"  # of whoever does not ask which sample is which
SHIFT = "circular shift of all feature maps"
HIDDEN_UNITS = "permutation of hidden units"
FACTORS = "exchange or rescaling of the factors of a product"

# What the two arguments of a measure are.
REPRESENTATIONS = "representations"  # (n, p) and (n, q): one row for each sample
REPEATS = "repeats"  # (n, r, p) and (n, s, q): several noisy rows for each sample
UNITS = "units"  # (n, p) and (n, q), whose columns are what is compared
OUTPUTS = "outputs"  # (n, c) twice, of classifiers: a column for each of the same classes
FEATURE_MAPS = "feature maps"  # (n, c, h, w) and (n, d, h, w), of convolutional layers
WEIGHTS = "weights"  # parameters, not activations

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "alignment": "do the same pairs of samples look alike, weighed by variance?",
        "canonical": "what do both sides hold up to a linear map, whatever its variance?",
        "shape": "how far apart are the sides after the best rotation?",
        "matching": "do single units recur?",
        "RSA": "do the similarities of all pairs of samples agree, as matrices?",
        "neighbours": "are the same samples near each other?",
        "geometry": "do samples lie alike around the origin, whichever is which?",
        "topology": "do clusters, loops and scales of the samples agree?",
        "prediction": "what does a linear map read out of a side?",
        "outputs": "do two classifiers answer alike?",
        "weights": "are the parameters of two networks alike?",
    }
)
"""The families of measures, in the order of the registry, and what each asks."""


@dataclass(frozen=True)
class Work:
    """What a preparation takes, for the plan of a comparison.

    Parameters
    ----------
    kept : callable
        ``kept(n, p)``: how many numbers are kept of a representation.
    run : callable
        ``run(n, p)``: operations to prepare it.
    meet : callable
        ``meet(n, p, q)``: operations of a pair.
    wide : bool
        Whether they are kept in float64 whatever they come in.
    """

    kept: Callable[[int, int], float]
    run: Callable[[int, int], float]
    meet: Callable[[int, int, int], float]
    wide: bool = True


# An SVD of the smaller side, and the product of two sets of axes with one of their SVDs: what no
# measure of visavis exceeds by much.
SPECTRAL = Work(
    lambda n, p: 2 * n * min(n, p),
    lambda n, p: 10 * n * p * min(n, p),
    lambda n, p, q: 2 * n * min(n, p) * min(n, q) + 20 * min(n, p, q) ** 3,
)
# A matrix of all pairs of samples, from one product.
PAIRWISE = Work(lambda n, p: n * n, lambda n, p: n * n * p, lambda n, p, q: 2 * n * n)


@dataclass(frozen=True)
class Preparation:
    """What a measure needs of one representation and of a pair, and a key under which to share it.

    Parameters
    ----------
    key : hashable
        Two preparations with the same key do the same.
    run : callable
        From a checked representation (n, p) to what is kept of it. M representations are prepared
        M times, whatever the number of pairs.
    meet : callable
        From what was kept of X and of Y to what all measures with this key score.
    cross : callable, optional
        From what was kept of all layers of both sides to a matrix of what is dear in `meet`, which
        then takes its entry as a third argument: many pairs at once may cost far less.
    kernel : Kernel, optional
        Of the Gram matrix of which `meet` needs only sums and inner products, so that it takes
        `visavis.stats.Swept` as well, with the inner product: what tiles are made for.
    work : Work
        What it takes.
    """

    key: Hashable
    run: Callable[[Array], Any] = field(compare=False)
    meet: Callable[..., Any] = field(compare=False)
    cross: Callable[[Sequence[Any], Sequence[Any]], Array] | None = field(
        default=None, compare=False
    )
    kernel: Kernel | None = field(default=None, compare=False)
    work: Work = field(default=SPECTRAL, compare=False)


@dataclass(frozen=True)
class Shapes:
    """What is known before any work: the number of rows, and the widths on both sides."""

    n: int
    x: tuple[int, ...]
    y: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Measure:
    """A measure with its facts.

    Parameters
    ----------
    name : str
        The name of the function and the key in `visavis.registry`.
    title : str
        The name in words.
    family : str
        One of `FAMILIES`: what kind of question it asks.
    function : callable
        ``function(X, Y, /, **options)`` for two arrays.
    prepare : callable
        ``prepare(options, side, shapes)`` gives the `Preparation` of side 0 (X) or 1 (Y).
    score : callable
        ``score(options, met)`` gives the value, a 0-d array, from what the preparations met in.
    chance : callable, optional
        ``chance(options, met)``: the exact mean of the value over all permutations of the rows of
        one side. None where no closed form is known.
    spread : callable, optional
        ``spread(options, met)``: the exact standard deviation of the value over the same
        permutations. None where no closed form is known.
    low, high : float
        Range.
    direction : {"similarity", "distance"}
        ``"similarity"`` if higher is more alike.
    symmetric : bool
        Whether exchanging X and Y leaves the value.
    metric : bool
        Whether it is a distance that satisfies the triangle inequality and is zero between
        representations that differ only by what it is invariant to.
    reflexive : bool
        Whether a representation has the best value of the range with itself.
    invariant_to, not_invariant_to : frozenset of str
        Maps that leave the value, and maps that in general move it.
    statistic : str
        The sufficient statistic, in words.
    cost : str
        Operations, as a formula in n, p, q.
    minimum_rows : int
        Fewest samples for which it is defined.
    inputs : {"representations", "outputs", "repeats", "units", "feature maps", "weights"}
        What the two arguments are. `visavis.compare` takes representations and outputs.
    paired_features : bool
        Whether the columns of X and Y correspond as well, so that there must be as many.
    always_defined : bool
        Whether input that is finite and varies always has an answer.
    constant_features : {"ignored", "counted", "refused"}
        What becomes of a feature that does not vary, where translation is forgotten: nothing, it
        counts as a unit like any other, or there is no answer as long as it is there.
    required : tuple of str
        Options without a default: what else the measure must be told, such as labels.
    reference : str
        Where it comes from.
    options : mapping
        Keyword options that are fixed; the facts are those under these options.
    variants : tuple of mapping
        Options under which the facts differ, or which the field knows by a name of their own.
    check : callable
        ``check(name, options)`` raises if a value of an option is not allowed.
    specialise : callable, optional
        From the record with new options to the record with the facts under them.
    describe : callable
        ``describe(options)``: one line for a reader of the number.
    """

    name: str
    title: str
    family: str
    function: Callable[..., Array]
    prepare: Callable[[Mapping[str, Any], int, Shapes], Preparation]
    score: Callable[[Mapping[str, Any], Any], Array]
    describe: Callable[[Mapping[str, Any]], str]
    check: Callable[[str, Mapping[str, Any]], None]
    reference: str
    statistic: str
    cost: str
    low: float
    high: float
    direction: Literal["similarity", "distance"] = "similarity"
    symmetric: bool = True
    metric: bool = False
    reflexive: bool = True
    invariant_to: frozenset[str]
    not_invariant_to: frozenset[str] = frozenset()
    minimum_rows: int = 2
    inputs: Literal["representations", "outputs", "repeats", "units", "feature maps", "weights"] = (
        REPRESENTATIONS
    )
    paired_features: bool = False
    always_defined: bool = True
    constant_features: Literal["ignored", "counted", "refused"] = "ignored"
    required: tuple[str, ...] = ()
    chance: Callable[[Mapping[str, Any], Any], Array] | None = None
    spread: Callable[[Mapping[str, Any], Any], Array] | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    variants: tuple[Mapping[str, Any], ...] = ()
    specialise: "Callable[[Measure], Measure] | None" = None

    def __repr__(self) -> str:
        return f"Measure({self.label})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by name and options: a record holds functions."""
        return _again, (self.name, dict(self.options))

    def __call__(self, X: Array, Y: Array, /) -> Array:
        """Return the measure of two arrays under the record's options."""
        return self.function(X, Y, **self.options)

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The options of the function with their default values."""
        parameters = inspect.signature(self.function).parameters.values()
        return MappingProxyType(
            {
                each.name: None if each.default is each.empty else each.default
                for each in parameters
                if each.kind is each.KEYWORD_ONLY
            }
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Every option with the value that it has here."""
        return {**self.defaults, **self.options}

    @property
    def label(self) -> str:
        """The name with those options that are not the default, as `resolve` reads it."""
        defaults = self.defaults
        changed = [
            f"{key}={_worded(value)}"
            for key, value in self.options.items()
            if _worded(value) != _worded(defaults[key])
        ]
        return f"{self.name}({', '.join(changed)})" if changed else self.name

    @property
    def span(self) -> str:
        """The range in the notation of intervals."""
        low = "(-∞" if self.low == -math.inf else f"[{self.low:.3g}"
        high = "∞)" if self.high == math.inf else f"{self.high:.3g}]"
        return f"{low}, {high}"

    def with_options(self, **options: Any) -> "Measure":
        """Return the record under other options, with the facts that hold under them.

        Raises
        ------
        TypeError
            If the function has no such option.
        ValueError
            If it has, but not with such a value.
        """
        unknown = [key for key in options if key not in self.defaults]
        if unknown:
            raise TypeError(
                checks.message(
                    self.name,
                    "options",
                    f"be among {', '.join(self.defaults)}",
                    ", ".join(unknown),
                )
            )
        merged = replace(self, options=MappingProxyType({**self.options, **options}))
        self.check(self.name, merged.settings)
        return self.specialise(merged) if self.specialise else merged

    def description(self) -> str:
        """Return one line that says what the number is, under the record's options."""
        return self.describe(self.settings)


def _again(name: str, options: dict[str, Any]) -> Measure:
    from visavis.measures.registry import registry

    return registry[name].with_options(**options)


def _worded(value: Any) -> str:
    # A tuple writes its parts as code; kernels are to be written by their names.
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"<array {shape}>"
    if isinstance(value, list):
        return f"<{len(value)} values>"
    if isinstance(value, tuple):
        return f"({', '.join(_worded(each) for each in value)})"
    return str(value)
