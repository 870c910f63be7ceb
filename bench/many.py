"""All pairs of many representations, by measures of every family.

Run with ``make bench``, or ``python bench/many.py --count 5``. With ``--peers``, in the environment
of ``make peers`` (``.venv-peers/bin/python bench/many.py --peers``), the fastest package that can
be installed is timed as well: on all pairs where it takes many representations at once, else on a
few pairs, from which the time for all is extrapolated. NumPy is older there: hold those times
against those of visavis in the same environment, in the same line.

PWCCA is refused at this size, for the ranks of two sides exceed n - 1 (Theorem 1): it is timed with
the refusal switched off, as packages that do not know of it are.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

import numpy as np

import visavis as vv

COUNT, ROWS, WIDTH, COMMON = 50, 1000, 768, 32
MEASURES = (
    "cka",
    "procrustes",
    "svcca",
    "pwcca(allow_saturated=True)",
    "rsa",
    "mutual_knn",
    "information_imbalance",
)
Layers = Mapping[str, np.ndarray]


def layers(count: int) -> dict[str, np.ndarray]:
    """Return representations that share a part, with spectra that fall as those of networks do."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal((ROWS, COMMON), dtype=np.float32)
    scales = 1 / np.arange(1, WIDTH + 1, dtype=np.float32)
    found = {}
    for k in range(count):
        own = rng.standard_normal((ROWS, WIDTH), dtype=np.float32)
        own[:, :COMMON] += common
        mixing = rng.standard_normal((WIDTH, WIDTH), dtype=np.float32) / WIDTH**0.5
        found[f"layer{k}"] = own * scales @ mixing
    return found


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


# Other packages. Each takes the representations, and the pairs if it goes by pairs.


def pytorch_cka(found: Layers, pairs: Any) -> None:
    import torch
    from cka import cka_from_features

    stack = torch.stack([torch.from_numpy(each) for each in found.values()])
    cka_from_features(stack, stack)


def scipy_procrustes(found: Layers, pairs: Any) -> None:
    from scipy.linalg import orthogonal_procrustes

    centred = {name: each - each.mean(axis=0) for name, each in found.items()}
    for a, b in pairs:
        orthogonal_procrustes(centred[a], centred[b])


def google(name: str) -> Any:
    """Return a file of google/svcca, whose code similarity-repository carries."""
    folder = distribution("similarity-repository").locate_file("similarity/backend/svcca")
    # As a package of its own: the one around it imports a dozen others.
    package = sys.modules.setdefault("svcca", ModuleType("svcca"))
    package.__path__ = [str(folder)]
    return import_module(f"svcca.{name}")


def google_pwcca(found: Layers, pairs: Any) -> None:
    """In double precision: in single its decomposition does not converge."""
    pwcca = google("pwcca")
    for a, b in pairs:
        pwcca.compute_pwcca(*(found[k].T.astype(np.float64) for k in (a, b)), epsilon=1e-10)


def google_svcca(found: Layers, pairs: Any) -> None:
    """Truncate by a singular value decomposition first, as its tutorial goes about it."""
    core = google("cca_core")
    for pair in pairs:
        kept = []
        for name in pair:
            centred = (found[name] - found[name].mean(axis=0)).T
            _, values, right = np.linalg.svd(centred, full_matrices=False)
            share = np.cumsum(values**2) / np.sum(values**2)
            k = int(np.searchsorted(share, 0.99)) + 1
            kept.append(values[:k, None] * right[:k])
        core.get_cca_similarity(*kept, epsilon=1e-10, verbose=False)


def rsatoolbox_spearman(found: Layers, pairs: Any) -> None:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare

    rdms = calc_rdm([Dataset(each) for each in found.values()], "euclidean")
    compare(rdms, rdms, "spearman")


def dadapy_overlap(found: Layers, pairs: Any) -> None:
    from dadapy import MetricComparisons

    kept = {}
    for name, each in found.items():
        kept[name] = MetricComparisons(each, maxk=10)
        kept[name].compute_distances()
    for a, b in itertools.combinations(found, 2):
        kept[a].return_data_overlap(distances=(kept[b].distances, kept[b].dist_indices), k=10)


def dadapy_imbalance(found: Layers, pairs: Any) -> None:
    from dadapy import MetricComparisons

    for a, b in pairs:
        MetricComparisons(found[a]).return_information_imbalace(found[b], k=1)


# Of each: the name, the function, and whether it goes by pairs.
PEERS: dict[str, tuple[str, Callable[[Layers, Any], None], bool]] = {
    "cka": ("pytorch-cka", pytorch_cka, False),
    "procrustes": ("scipy", scipy_procrustes, True),
    "svcca": ("google/svcca", google_svcca, True),
    "pwcca(allow_saturated=True)": ("google/svcca", google_pwcca, True),
    "rsa": ("rsatoolbox", rsatoolbox_spearman, False),
    "mutual_knn": ("dadapy, Euclidean", dadapy_overlap, False),
    "information_imbalance": ("dadapy", dadapy_imbalance, True),
}


def beside(measure: str, found: Layers, sample: int) -> str:
    """Return the words on the time of another package."""
    name, function, by_pair = PEERS[measure]
    pairs = list(itertools.combinations(found, 2))
    first = dict(itertools.islice(found.items(), 2))
    try:
        function(first, [tuple(first)])  # imports and compiles
    except np.linalg.LinAlgError as error:
        return f"{name} has no value: {error}"
    if not by_pair:
        return f"{name} {seconds(lambda: function(found, pairs)):.2f} s"
    chosen = pairs[:: max(1, len(pairs) // sample)][:sample]
    spent = seconds(lambda: function(found, chosen)) * len(pairs) / len(chosen)
    return f"{name} {spent:.1f} s, extrapolated from {len(chosen)} of {len(pairs)} pairs"


def main() -> None:
    """Print the time of every measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--peers", action="store_true", help="time other packages as well")
    parser.add_argument("--sample", type=int, default=10, help="pairs to extrapolate from")
    arguments = parser.parse_args()
    found = layers(arguments.count)
    pairs = arguments.count * (arguments.count - 1) // 2
    print(f"{arguments.count} representations, {pairs} pairs, n = {ROWS}, p = {WIDTH}, float32")
    few = dict(itertools.islice(found.items(), 2))
    for measure in arguments.measures:
        vv.compare(few, measure=measure, progress=False)  # imports
        spent = seconds(lambda name=measure: vv.compare(found, measure=name, progress=False))
        told = [f"{measure}: {spent:.2f} s"]
        if measure == "cka":
            alone = seconds(lambda: vv.compare(found, level=None, progress=False))
            told.append(f"without intervals {alone:.2f} s")
        if arguments.peers:
            told.append(beside(measure, found, arguments.sample))
        print("; ".join(told), flush=True)


if __name__ == "__main__":
    main()
