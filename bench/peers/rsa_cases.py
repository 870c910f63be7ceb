"""Representational similarity analysis, with and without repeats, and distance correlation."""

from typing import Any

import dcor
import numpy as np
from bench.peers.cases import Case, Difference, Function, narrowed, on, under
from hyppo.independence import Dcorr
from rsatoolbox.data import Dataset
from rsatoolbox.data.noise import prec_from_measurements
from rsatoolbox.rdm import calc_rdm, compare
from scipy.spatial.distance import pdist, squareform
from skbio.stats.distance import mantel

helpers = under("thingsvision.core.rsa", "helpers")
# What rsatoolbox calls the comparisons of visavis.
NAMES = {
    "cosine": "cosine",
    "pearson": "corr",
    "spearman": "spearman",
    "kendall_tau_a": "tau-a",
    "kendall_tau_b": "tau-b",
    "rho_a": "rho-a",
    "whitened_cosine": "cosine_cov",
    "whitened_pearson": "corr_cov",
}

# Peers, called.


def rsatoolbox(method: str, comparison: str) -> Function:
    def value(X: Any, Y: Any) -> Any:
        rdms = (calc_rdm(Dataset(Z), method=method) for Z in (X, Y))
        return compare(*rdms, method=NAMES[comparison])[0, 0]

    return value


def thingsvision(method: str, correlation: str) -> Function:
    return lambda X, Y: helpers.correlate_rdms(
        *(helpers.compute_rdm(Z, method) for Z in (X, Y)), correlation
    )


def skbio(method: str) -> Function:
    return lambda X, Y: mantel(
        *(squareform(pdist(Z)) for Z in (X, Y)), method=method, permutations=0
    )[0]


def hyppo(*, bias: bool) -> Function:
    return lambda X, Y: Dcorr(bias=bias).statistic(X, Y)


def dataset(X: Any) -> Dataset:
    """Return the repeats (m, r, p) as rsatoolbox takes them."""
    m, r, p = X.shape
    rows = {"stimulus": np.repeat(np.arange(m), r), "run": np.tile(np.arange(r), m)}
    return Dataset(X.reshape(m * r, p), obs_descriptors=rows)


def mahalanobis(comparison: str, noise: str) -> Function:
    def value(X: Any, Y: Any) -> Any:
        rdms = []
        for data in (dataset(X), dataset(Y)):
            precision = prec_from_measurements(data, "stimulus", method=noise)
            rdms.append(calc_rdm(data, "mahalanobis", "stimulus", noise=precision))
        return compare(*rdms, method=NAMES[comparison])[0, 0]

    return value


def crossnobis(comparison: str, noise: str) -> Function:
    """With the noise of all repeats, as its documentation does it."""

    def value(X: Any, Y: Any) -> Any:
        rdms = []
        for data in (dataset(X), dataset(Y)):
            precision = prec_from_measurements(data, "stimulus", method=noise)
            rdms.append(calc_rdm(data, "crossnobis", "stimulus", precision, cv_descriptor="run"))
        return compare(*rdms, method=NAMES[comparison])[0, 0]

    return value


def crossnobis_by_fold(comparison: str, noise: str) -> Function:
    """With the noise of the repeats that are not tested: two folds at a time."""

    def vector(X: Any) -> Any:
        total = 0
        for test in range(X.shape[1]):
            data = dataset(X)
            rest = data.subset_obs("run", [k for k in range(X.shape[1]) if k != test])
            precision = prec_from_measurements(rest, "stimulus", method=noise)
            data.obs_descriptors["half"] = (data.obs_descriptors["run"] == test).astype(int)
            rdm = calc_rdm(data, "crossnobis", "stimulus", precision, cv_descriptor="half")
            total = total + rdm.get_vectors()
        return total

    return lambda X, Y: compare(vector(X), vector(Y), method=NAMES[comparison])[0, 0]


# Their definitions, written down anew.


def shrunk_precision(X: Any) -> Any:
    """As rsatoolbox's shrinkage_diag, with (m − 1)·r degrees of freedom in place of m·(r − 1)."""
    m, r, p = X.shape
    noise = (X - X.mean(axis=1, keepdims=True)).reshape(-1, p)
    freedom = (m - 1) * r
    S = noise.T @ noise / freedom
    units = noise / np.sqrt(np.diag(S))
    mean = units.T @ units / (len(noise) - 1)
    squares = (units**2).T @ units**2 / (len(noise) - 1)
    off = ~np.eye(p, dtype=bool)
    weight = len(noise) / freedom**2 * (squares - mean**2)[off].sum() / (mean[off] ** 2).sum()
    return np.linalg.inv(S * np.where(off, 1 - np.clip(weight, 0, 1), 1))


def distances_in(precision: Function, X: Any) -> Any:
    means, P = X.mean(axis=1), precision(X)
    return np.array(
        [
            (means[i] - means[j]) @ P @ (means[i] - means[j])
            for i in range(len(X))
            for j in range(i + 1, len(X))
        ]
    )


def shrunk_mahalanobis(X: Any, Y: Any) -> float:
    return float(np.corrcoef(*(distances_in(shrunk_precision, Z) for Z in (X, Y)))[0, 1])


def crossed(precision: Function) -> Function:
    """Leave one repeat out, in units of one precision for all."""

    def vector(X: Any) -> Any:
        m, r, _ = X.shape
        P, i, j = precision(X), *np.triu_indices(m, 1)
        total = np.zeros(len(i))
        for k in range(r):
            test, rest = X[:, k], np.delete(X, k, axis=1).mean(axis=1)
            total += np.sum(((rest[i] - rest[j]) @ P) * (test[i] - test[j]), axis=1)
        return total

    return lambda X, Y: float(np.corrcoef(vector(X), vector(Y))[0, 1])


def full_precision(X: Any) -> Any:
    noise = (X - X.mean(axis=1, keepdims=True)).reshape(-1, X.shape[2])
    return np.linalg.inv(noise.T @ noise)


NO_ANGLE = "a row of equal entries, or of zeros, has no correlation or angle: visavis says so"
REFUSED = "DegenerateInputError"


def cases() -> list[Case]:
    """Return all cases of this file."""
    return [*_rdms(), *_repeats(), *_distances()]


def _rdms() -> list[Case]:
    found = []
    for comparison, name in NAMES.items():
        theirs = rsatoolbox("euclidean", comparison)
        found.append(
            Case(
                f"rsa(rdm=sqeuclidean, compare={comparison})",
                "rsatoolbox",
                f"calc_rdm('euclidean'), compare('{name}')",
                theirs,
                on(narrowed(theirs), "offset"),
            )
        )
    for comparison in ("spearman", "kendall_tau_b"):
        theirs = rsatoolbox("correlation", comparison)
        found.append(
            Case(
                f"rsa(rdm=correlation, compare={comparison})",
                "rsatoolbox",
                f"calc_rdm('correlation'), compare('{NAMES[comparison]}')",
                theirs,
                on(Difference(NO_ANGLE, ours=REFUSED, theirs="ValueError"), "tied"),
            )
        )
    nowhere = Difference(NO_ANGLE, ours=REFUSED, theirs="NaN")
    for method in ("euclidean", "correlation", "cosine"):
        for correlation in ("pearson", "spearman"):
            theirs = thingsvision(method, correlation)
            found.append(
                Case(
                    f"rsa(rdm={method}, compare={correlation})",
                    "thingsvision",
                    f"compute_rdm('{method}'), correlate_rdms('{correlation}')",
                    theirs,
                    {
                        **(on(narrowed(theirs), "offset") if method == "cosine" else {}),
                        **(on(nowhere, "tied") if method != "euclidean" else {}),
                    },
                )
            )
    found += [
        Case(
            f"rsa(rdm=euclidean, compare={method})",
            "scikit-bio",
            f"mantel('{method}')",
            skbio(method),
        )
        for method in ("pearson", "spearman")
    ]
    return found


def _repeats() -> list[Case]:
    def of(
        rdm: str, shrinkage: str, call: str, theirs: Function, why: Difference | None = None
    ) -> Case:
        return Case(
            f"rsa(rdm={rdm}, compare=pearson{shrinkage})",
            "rsatoolbox",
            call,
            theirs,
            {"repeats": why} if why else {},
            data=("repeats",),
        )

    return [
        of(
            "mahalanobis",
            ", shrinkage=0.0",
            "calc_rdm('mahalanobis'), noise 'full'",
            mahalanobis("pearson", "full"),
        ),
        of(
            "mahalanobis",
            ", shrinkage=1.0",
            "calc_rdm('mahalanobis'), noise 'diag'",
            mahalanobis("pearson", "diag"),
        ),
        of(
            "mahalanobis",
            "",
            "calc_rdm('mahalanobis'), noise 'shrinkage_diag'",
            mahalanobis("pearson", "shrinkage_diag"),
            Difference(
                "counts (m − 1)·r degrees of freedom of the noise of m samples with r repeats, "
                "which has m·(r − 1)",
                by=shrunk_mahalanobis,
            ),
        ),
        of(
            "crossnobis",
            ", shrinkage=0.0",
            "calc_rdm('crossnobis'), noise 'full'",
            crossnobis("pearson", "full"),
            Difference(
                "takes the noise from all repeats, the one that is tested included",
                by=crossed(full_precision),
                without=crossnobis_by_fold("pearson", "full"),
            ),
        ),
        of(
            "crossnobis",
            "",
            "calc_rdm('crossnobis'), noise 'shrinkage_diag'",
            crossnobis("pearson", "shrinkage_diag"),
            Difference(
                "takes the noise from all repeats, and its degrees of freedom as above",
                by=crossed(shrunk_precision),
            ),
        ),
    ]


def _distances() -> list[Case]:
    biased = "distance_correlation(estimator=biased)"
    numba = on(Difference("cannot take float32", theirs="TypingError"), "offset")
    return [
        Case("distance_correlation", "hyppo", "Dcorr", hyppo(bias=False), numba),
        Case(
            biased,
            "hyppo",
            "Dcorr(bias=True)",
            hyppo(bias=True),
            {**on(Difference("is the root", by=dcor.distance_correlation)), **numba},
        ),
        Case(
            "distance_correlation",
            "dcor",
            "u_distance_correlation_sqr",
            dcor.u_distance_correlation_sqr,
        ),
        Case(biased, "dcor", "distance_correlation_sqr", dcor.distance_correlation_sqr),
    ]
