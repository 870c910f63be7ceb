"""The paper's sanity check: a measure should find the same layer in another network."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from visavis._core import checks
from visavis.benchmark.tables import Pair, checked, networks, pairwise

PAPER_TABLE_2: Mapping[str, float] = MappingProxyType(
    {
        "CCA (ρ̄)": 1.4,
        "CCA (R²)": 10.6,
        "SVCCA (ρ̄)": 9.9,
        "SVCCA (R²)": 15.1,
        "PWCCA": 11.1,
        "Linear regression": 45.4,
        "Linear HSIC": 22.2,
        "CKA (linear)": 99.3,
        "CKA (RBF 0.2)": 80.6,
        "CKA (RBF 0.4)": 99.1,
        "CKA (RBF 0.8)": 99.3,
    }
)
"""Accuracy in % of ten networks with nine layers each, trained on CIFAR-10: Table 2 of Kornblith,
Norouzi, Lee & Hinton, "Similarity of Neural Network Representations Revisited", ICML 2019
(arXiv:1905.00414). Chance is 11.1 %."""

_WHERE = "layer_correspondence"


@dataclass(frozen=True, eq=False)
class Correspondence:
    """How often the most similar layer of another network is the corresponding one.

    Parameters
    ----------
    measure : str
        What was tested.
    accuracy : float
        100 × hits / total, in %.
    standard_error : float or None
        Of the accuracy, in %, by the jackknife over networks. None with two networks: without one
        of them no pair is left.
    chance : float
        100 / layers, in %: the accuracy of a measure that knows nothing.
    hits : float
        Number of trials won. A whole number unless scores tie.
    total : int
        Number of trials: one for each ordered pair of networks and each layer.
    confusion : ndarray of float64, (layers, layers)
        How often layer i of one network was taken for layer j of the other. Row i sums to the
        trials of layer i that are not missing, the diagonal to `hits`.
    missing : int
        Number of trials, all lost, in which the two corresponding layers have no score.
    """

    measure: str
    accuracy: float
    standard_error: float | None
    chance: float
    hits: float
    total: int
    confusion: np.ndarray
    missing: int

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.1f}"
        missing = f", {self.missing} without a score" if self.missing else ""
        return (
            f"{self.measure}: {self.accuracy:.1f}{error} % of {self.total} layers found "
            f"(chance {self.chance:.1f} %{missing})"
        )


def layer_correspondence(
    tables: Mapping[Pair, npt.ArrayLike],
    *,
    measure: str = "measure",
    direction: Literal["similarity", "distance"] = "similarity",
    symmetric: bool = True,
) -> Correspondence:
    """Return how well a measure finds corresponding layers of networks of one architecture.

    For every ordered pair of networks (a, b) and every layer i of a, it is a hit if of all layers
    of b layer i is the most similar one: ``argmax_j S[i, j] == i`` [1]_, section 6.1.

    Parameters
    ----------
    tables : mapping of (a, b) to array, (layers, layers)
        For every pair of networks the scores ``S[i, j]`` of layer i of a and layer j of b, all with
        the same layers in the same order. NaN where there is no score.
    measure : str
        Name of the measure, for the record.
    direction : {"similarity", "distance"}
        Whether the most similar layer has the highest score or the lowest.
    symmetric : bool
        Whether the measure gives the same score when its two sides are exchanged. Then either of
        (a, b) and (b, a) is enough. Otherwise both are needed, and their sum decides, as in the
        paper: the score of layer i of a and layer j of b is ``S_ab[i, j] + S_ba[j, i]``.

    Returns
    -------
    Correspondence
        Accuracy in % with its standard error, chance level and confusions.

    Raises
    ------
    TypeError
        If a table does not hold numbers or a key is not a pair.
    ValueError
        If tables are missing, contradict each other, are not finite, or differ in the number of
        layers.

    Notes
    -----
    *Ties*: k layers that share the best score get 1/k of a trial each, the expected result of
    drawing lots. A measure with one value for everything (Theorem 1 of the paper) thus scores
    chance, not whatever the order of the layers happens to give.

    *Missing scores* are not candidates. If the corresponding layers themselves have none, because
    one of them is dead, the trial is lost and counted in `missing`.

    *Standard error*: with m networks and the accuracy θₖ without network k, se² = (m−1)/m·Σ(θₖ−θ̄)².
    Pairs that share a network are not independent, hence networks and not pairs are left out.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations
       Revisited", ICML 2019. arXiv:1905.00414

    Examples
    --------
    Every layer is found from both sides, but for the second, which is found from one side only:

    >>> S = [[0.9, 0.2, 0.1], [0.3, 0.5, 0.6], [0.1, 0.4, 0.8]]
    >>> print(layer_correspondence({("seed 0", "seed 1"): S}, measure="cka"))
    cka: 83.3 % of 6 layers found (chance 33.3 %)
    """
    checks.option(_WHERE, "direction", direction, ("similarity", "distance"))
    scores = pairwise(_WHERE, checked(_WHERE, tables), symmetric=symmetric)
    layers = next(iter(scores.values())).shape[0]
    sign = 1 if direction == "similarity" else -1
    votes = {pair: _votes(sign * S) + _votes(sign * S.T) for pair, S in scores.items()}

    confusion = np.sum(list(votes.values()), axis=0)
    total = 2 * layers * len(scores)
    hits = float(np.trace(confusion))
    return Correspondence(
        measure=measure,
        accuracy=100 * hits / total,
        standard_error=_jackknife(
            {pair: 100 * float(np.trace(vote)) / (2 * layers) for pair, vote in votes.items()}
        ),
        chance=100 / layers,
        hits=hits,
        total=total,
        confusion=confusion,
        missing=sum(2 * int(np.isnan(np.diagonal(S)).sum()) for S in scores.values()),
    )


def _votes(similarity: np.ndarray) -> np.ndarray:
    """Return for each row the share of each column in the best score; none without a diagonal."""
    answerable = ~np.isnan(np.diagonal(similarity))[:, None]
    best = similarity == np.fmax.reduce(similarity, axis=1, keepdims=True)  # fmax passes over NaN
    return np.where(answerable, best / np.maximum(best.sum(axis=1, keepdims=True), 1), 0.0)


def _jackknife(accuracies: Mapping[Pair, float]) -> float | None:
    nets = networks(accuracies)
    if len(nets) < 3:
        return None
    without = [
        np.mean([accuracy for pair, accuracy in accuracies.items() if net not in pair])
        for net in nets
    ]
    return math.sqrt((len(nets) - 1) * np.var(without))
