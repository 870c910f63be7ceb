"""The experiments, in the order in which they are run: those with the most to say first."""

from collections.abc import Mapping

from reproduction import (
    architectures,
    batch_norm,
    datasets,
    depth,
    encoders,
    residual,
    saturation,
    subspace,
    table2,
    untrained,
    width,
)
from reproduction.experiment import Experiment

EXPERIMENTS: Mapping[str, Experiment] = {
    each.EXPERIMENT.name: each.EXPERIMENT
    for each in (
        table2,
        saturation,
        subspace,
        untrained,
        datasets,
        batch_norm,
        encoders,
        depth,
        residual,
        architectures,
        width,
    )
}
