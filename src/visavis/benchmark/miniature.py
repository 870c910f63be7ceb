"""The paper in miniature: Tiny-10 from several seeds, and which measures match their layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from visavis.benchmark import fashion
from visavis.benchmark.outcome import LayerCorrespondence
from visavis.benchmark.paper import MEASURES
from visavis.benchmark.protocol import layer_correspondence
from visavis.benchmark.runs import between
from visavis.models import extract
from visavis.results import Activations, ModelComparison

# The debiased CKA of 500 images strays by 0.003 from chance; more of them only cost time.
IMAGES = 500


@dataclass(frozen=True, eq=False)
class Miniature:
    """What the miniature found.

    Parameters
    ----------
    accuracies : mapping of str to float
        The part of held-out images that each network classifies correctly.
    comparisons : mapping of str to ModelComparison
        All layers of all networks on the same held-out images, by the name of the measure.
    correspondence : LayerCorrespondence
        How often each measure finds the corresponding layer, by the names of the paper's Table 2.
    """

    accuracies: Mapping[str, float]
    comparisons: Mapping[str, ModelComparison]
    correspondence: LayerCorrespondence


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
    activations: Mapping[str, Activations],
    accuracies: Mapping[str, float],
    *,
    progress: bool = True,
) -> Miniature:
    """Compare the layers of all networks and say which measures match them."""
    found = between(activations, MEASURES, {"progress": progress})
    return Miniature(accuracies, found, layer_correspondence(found))
