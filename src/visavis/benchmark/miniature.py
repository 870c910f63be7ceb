"""The paper in miniature: Tiny-10 from several seeds, and which measures match their layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations
from types import MappingProxyType

from visavis.benchmark import fashion
from visavis.benchmark.correspondence import Correspondence, layer_correspondence
from visavis.measures import Measure, resolve
from visavis.models import extract
from visavis.pairs import compare
from visavis.results import Activations, ComparisonSet

TABLE_2: Mapping[str, str] = MappingProxyType(
    {
        "CCA (ρ̄)": "cca(allow_saturated=True)",
        "CCA (R²)": "cca(form=r2, allow_saturated=True)",
        "SVCCA (ρ̄)": "svcca(allow_saturated=True)",
        "SVCCA (R²)": "svcca(form=r2, allow_saturated=True)",
        "PWCCA": "pwcca(allow_saturated=True)",
        "Linear regression": "linear_regression(allow_saturated=True)",
        "Linear HSIC": "hsic(estimator=biased)",
        "CKA (linear)": "cka(estimator=biased)",
        "CKA (RBF 0.2)": "cka(kernel=rbf(0.2), estimator=biased)",
        "CKA (RBF 0.4)": "cka(kernel=rbf(0.4), estimator=biased)",
        "CKA (RBF 0.8)": "cka(kernel=rbf(0.8), estimator=biased)",
    }
)
"""The rows of the paper's Table 2, as `visavis.compare` is asked for them."""

DEBIASED = "CKA (linear, debiased)"
MEASURES: Mapping[str, str] = MappingProxyType({**TABLE_2, DEBIASED: "cka"})

# The debiased CKA of 500 images strays by 0.003 from chance; more of them only cost time.
IMAGES = 500


@dataclass(frozen=True, eq=False)
class Miniature:
    """What the miniature found.

    Parameters
    ----------
    accuracies : mapping of str to float
        The part of held-out images that each network classifies correctly.
    activations : mapping of str to Activations
        All layers of each network on the same held-out images.
    comparisons : mapping of (a, b) to ComparisonSet
        Every measure for every ordered pair of networks.
    correspondences : mapping of str to Correspondence
        How often each measure finds the corresponding layer, by the name of the paper's Table 2.
    """

    accuracies: Mapping[str, float]
    activations: Mapping[str, Activations]
    comparisons: Mapping[tuple[str, str], ComparisonSet]
    correspondences: Mapping[str, Correspondence]


def train(
    seeds: tuple[int, ...], *, epochs: int, step: Callable[[], None]
) -> tuple[dict[str, Activations], dict[str, float]]:
    """Train a Tiny-10 for each seed; return its layers on held-out images, and its accuracy.

    Parameters
    ----------
    seeds : tuple of int
        One network each.
    epochs : int
        Passes over the 6,000 training images.
    step : callable
        Called after each of ``tiny10.steps(epochs)`` steps of each network.
    """
    from visavis.benchmark import tiny10

    images = fashion.load()
    nets = {}
    for seed in seeds:
        nets[f"seed {seed}"] = tiny10.train(
            images.train_images,
            images.train_labels,
            seed=seed,
            epochs=epochs,
            progress=lambda done, total: step(),
        )
    accuracies = {
        name: tiny10.accuracy(net, images.test_images, images.test_labels)
        for name, net in nets.items()
    }
    held_out = tiny10.inputs(images.test_images[:IMAGES])
    activations = extract(nets, held_out, layers=list(tiny10.LAYERS), progress=False)
    return activations, accuracies


def match(
    activations: Mapping[str, Activations], *, step: Callable[[], None]
) -> dict[tuple[str, str], ComparisonSet]:
    """Return every measure of the miniature for every ordered pair of networks."""
    compared = {}
    for a, b in permutations(activations, 2):
        specs = [spec for spec in MEASURES.values() if (b, a) not in compared or _one_way(spec)]
        compared[a, b] = compare(
            activations[a], activations[b], measures=specs, names=(a, b), progress=False
        )
        step()
    return compared


def found(
    compared: Mapping[tuple[str, str], ComparisonSet],
) -> dict[str, Correspondence]:
    """Return how often each measure finds the corresponding layer."""
    return {
        name: layer_correspondence(
            {
                pair: each[resolve(spec).label].values
                for pair, each in compared.items()
                if resolve(spec).label in each
            },
            measure=name,
            direction=resolve(spec).direction,
            symmetric=resolve(spec).symmetric,
        )
        for name, spec in MEASURES.items()
    }


def _one_way(spec: str) -> bool:
    measure: Measure = resolve(spec)
    return not measure.symmetric


def run(
    seeds: tuple[int, ...],
    *,
    epochs: int,
    trained: Callable[[], None] = lambda: None,
    compared: Callable[[], None] = lambda: None,
) -> Miniature:
    """Train, extract, compare and match.

    Parameters
    ----------
    seeds : tuple of int
        One network each; at least two.
    epochs : int
        Passes over the training images.
    trained, compared : callable
        Called after each training step, and after each ordered pair of networks.
    """
    activations, accuracies = train(seeds, epochs=epochs, step=trained)
    comparisons = match(activations, step=compared)
    return Miniature(accuracies, activations, comparisons, found(comparisons))
