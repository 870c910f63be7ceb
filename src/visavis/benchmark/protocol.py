"""The paper's sanity check on any set of trained nets: `layer_correspondence`."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import checks
from visavis.benchmark.correspondence import table_correspondence
from visavis.benchmark.outcome import LayerCorrespondence
from visavis.benchmark.paper import MEASURES
from visavis.benchmark.runs import Measures, Runs, compared
from visavis.results import Comparison, ModelComparison
from visavis.results.correspond import Align

_WHERE = "layer_correspondence"


def layer_correspondence(
    runs: Runs,
    *,
    measures: Measures | None = None,
    layers: str | Sequence[str] | None = None,
    data: Any = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    **extraction: Any,
) -> LayerCorrespondence:
    """Return how often each measure finds the same layer in another net of the same architecture.

    The sanity check of Kornblith et al. [1]_, Table 2: of nets that differ in their random start
    alone, each layer of one should be most alike to the same layer of another. For every ordered
    pair of nets (a, b) and every layer i of a it is a hit if ``argmax_j S[i, j] == i``.

    Parameters
    ----------
    runs : mapping of str to net, sequence of paths, or finished comparisons
        Two nets or more. A net is what `visavis.compare` takes: `Activations`, a mapping from layer
        to array, or the path of a store or file; with `data`, a model. Layers are known by their
        names, in whatever order a net has them. What ``visavis.compare({...})`` gave is taken as it
        is: a `ModelComparison`, or several by measure.
    measures : sequence of measures, or mapping from names to them, optional
        Of `visavis.registry`, as in `visavis.compare`. By default those of the paper's Table 2,
        under its names, and debiased CKA: `visavis.benchmark.MEASURES`.
    layers : str or sequence of str, optional
        Names or patterns of the layers that are sought (``"conv*"``), or left out (``"!logits"``).
        The paper leaves out the logits, which are the same in all good nets.
    data : iterable of batches, array, or mapping of arrays, optional
        What models are run on, once, every batch through all of them; see `visavis.extract`.
    align, silenced, memory, executor, checkpoint, progress
        As in `visavis.compare`.
    **extraction
        With `data`: `pool`, `inputs`, `ids`, `batch_size`, `device` of `visavis.extract`. Feature
        maps are flattened without `pool`, as in the paper.

    Returns
    -------
    LayerCorrespondence
        A mapping from measure to `Correspondence`, which prints as a table. `difference` compares
        two measures on the same nets, `plot` draws which layers are taken for which.

    Raises
    ------
    ValueError
        If there are fewer than two nets or layers, or layers have other names in another net: for
        nets of different architectures there is `nearest_layers`.
    SampleMismatchError
        If the samples of any two nets are not the same.
    LayerNotFoundError
        If `layers` name something that no net has.

    Notes
    -----
    Measures that are not symmetric decide by the sum of both directions, ``S + Sᵀ``, as in the
    paper. Ties, missing scores and standard errors: see `table_correspondence`.

    *Cost*: each layer is prepared once for all pairs and for all measures that need the same of it.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations
       Revisited", ICML 2019. arXiv:1905.00414

    Examples
    --------
    Four layers that three nets have in common, each net in coordinates and with noise of its own:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> layers = {f"conv{i}": rng.normal(size=(80, 6)) for i in range(4)}
    >>> def net():
    ...     turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    ...     return {name: X @ turn + rng.normal(size=X.shape) for name, X in layers.items()}
    >>> runs = {f"seed {k}": net() for k in range(3)}
    >>> res = vv.benchmark.layer_correspondence(runs, measures=["cka", "procrustes"])
    >>> res["cka"].accuracy, res.chance
    (100.0, 25.0)
    """
    found = compared(
        _WHERE,
        runs,
        measures,
        MEASURES,
        layers=layers,
        data=data,
        extraction=extraction,
        options={
            "align": align,
            "silenced": silenced,
            "memory": memory,
            "executor": executor,
            "checkpoint": checkpoint,
            "progress": progress,
        },
    )
    first = next(iter(found.values()))
    shared = one_architecture(_WHERE, first.layers)
    results, scores = {}, {}
    for name, each in found.items():
        tables = _tables(each, shared)
        results[name] = table_correspondence(
            tables,
            measure=name,
            direction=each.scale.direction,  # pyright: ignore[reportArgumentType]
            symmetric=each.scale.symmetric,
            layers=shared,
        )
        scores[name] = _mean(each, tables, shared)
    provenance = {key: each for key, each in first.provenance.items() if key != "call"}
    return LayerCorrespondence(results, scores, provenance)


def one_architecture(where: str, own: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the layers that all nets have, in the order of the first net.

    Raises
    ------
    ValueError
        If a net has other layers, or there is one only.
    """
    layers = next(iter(own.values()))
    if apart := differing(own):
        cure = (
            "Choose common ones with layers=[...]; of nets of different architectures "
            "nearest_layers(runs) finds the nearest layer of each."
        )
        expected = "have layers of the same names in every net"
        raise ValueError(checks.message(where, "runs", expected, apart, cure))
    if len(layers) < 2:
        seen = f"{layers[0]!r} alone"
        raise ValueError(checks.message(where, "runs", "have two layers or more", seen))
    return tuple(layers)


def differing(own: Mapping[str, Sequence[str]]) -> str:
    """Return a layer that some nets have and others do not, in words; nothing if there is none."""
    (first, layers), *others = own.items()
    for net, names in others:
        lacking = [(name, first, net) for name in layers if name not in names]
        lacking += [(name, net, first) for name in names if name not in layers]
        if lacking:
            name, there, elsewhere = lacking[0]
            return f"{name!r} in {there!r} and not in {elsewhere!r}"
    return ""


def _tables(
    found: ModelComparison, layers: Sequence[str], values: np.ndarray | None = None
) -> dict[tuple[str, str], np.ndarray]:
    """Return the values of each ordered pair of nets, layers by name in one order."""
    whole = found.values if values is None else values
    place = {name: k for k, name in enumerate(found.table.rows)}
    at = {net: [place[f"{net}/{layer}"] for layer in layers] for net in found.models}
    return {(a, b): whole[np.ix_(at[a], at[b])] for a, b in permutations(found.models, 2)}


def _mean(
    found: ModelComparison, tables: Mapping[tuple[str, str], np.ndarray], layers: tuple[str, ...]
) -> Comparison:
    """Return the mean over the pairs of nets that have a value."""
    chance = found.table.chance
    pairs = len(found.models) * (len(found.models) - 1)
    return Comparison(
        values=_over_pairs(tables),
        rows=layers,
        cols=layers,
        scale=found.scale.described(f"mean over {pairs} ordered pairs of nets"),
        n=found.n,
        chance=None if chance is None else _over_pairs(_tables(found, layers, chance)),
        findings=found.findings,
        names=("one net", "another net"),
        plan=found.plan,
        provenance={"call": found.provenance.get("call", "")},
    )


def _over_pairs(tables: Mapping[tuple[str, str], np.ndarray]) -> np.ndarray:
    stacked = np.stack(list(tables.values()))
    known = ~np.isnan(stacked)
    counts = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
