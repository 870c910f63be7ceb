"""Canonical correlations, regression, Procrustes and Bures distances."""

from typing import Any

import numpy as np
import procrustes
import scipy.linalg
import scipy.spatial
from bench.peers.cases import Case, Difference, Function, on, uncentred, under, wide
from bench.peers.definitions import biased_hsic, cka_of, linear
from bench.peers.kernel_cases import on_grams, repsim, xfer
from hyppo import independence
from rsatoolbox.rdm import compare
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from statsmodels.multivariate.cancorr import CanCorr

google = under("similarity.backend.svcca", "cca_core")
projected = under("similarity.backend.svcca", "pwcca").compute_pwcca
TALL = ("published", "related", "small", "offset", "tied")
UNEVEN = ("related", "small", "offset")
EVEN = ("published", "tied")

# Peers, called.


def sklearn_cca(X: Any, Y: Any) -> Any:
    model = CCA(min(X.shape[1], Y.shape[1]), max_iter=100000, tol=1e-14).fit(X, Y)
    scores = zip(*(each.T for each in model.transform(X, Y)), strict=True)
    return np.mean([np.corrcoef(x, y)[0, 1] for x, y in scores])


def google_cca(X: Any, Y: Any) -> Any:
    return google.get_cca_similarity(X.T, Y.T, verbose=False)["mean"][0]


def google_pwcca(X: Any, Y: Any) -> Any:
    return projected(X.T, Y.T)[0]


def regression(X: Any, Y: Any) -> Any:
    predicted = LinearRegression().fit(X, Y).predict(X)
    return r2_score(Y, predicted, multioutput="variance_weighted")


def angles(X: Any, Y: Any) -> Any:
    cosines = np.cos(scipy.linalg.subspace_angles(*_centred(X, Y)))
    return (cosines**2).sum() / max(X.shape[1], Y.shape[1])


def nuclear(X: Any, Y: Any) -> Any:
    X, Y = _centred(X, Y)
    return scipy.linalg.orthogonal_procrustes(X, Y)[1] / np.linalg.norm(X) / np.linalg.norm(Y)


def disparity(X: Any, Y: Any) -> Any:
    return scipy.spatial.procrustes(X, Y)[2]


def rotated(**options: Any) -> Function:
    return lambda X, Y: procrustes.orthogonal(X, Y, translate=True, **options).error


def permuted(X: Any, Y: Any) -> Any:
    return procrustes.permutation(X, Y, translate=True).error


def rsatoolbox(method: str) -> Function:
    return lambda X, Y: compare(*(pdist(Z, "sqeuclidean")[None] for Z in (X, Y)), method=method)[
        0, 0
    ]


# Their definitions, written down anew.


def _centred(X: Any, Y: Any) -> tuple[Any, Any]:
    return tuple(Z - Z.mean(axis=0) for Z in wide(X, Y))


def correlations(X: Any, Y: Any) -> Any:
    Q, R = (np.linalg.qr(Z)[0] for Z in _centred(X, Y))
    return np.linalg.svd(Q.T @ R, compute_uv=False)


def without_tail(X: Any, Y: Any) -> float:
    rho = correlations(X, Y)
    sums = np.concatenate([[0], np.cumsum(rho)[:-1]]) / rho.sum()
    return float(rho[: int(np.argmax(sums >= 0.98)) or None].mean())


def linear_cka(X: Any, Y: Any) -> float:
    return cka_of(linear(X), linear(Y), biased_hsic)


def weighted(X: Any, Y: Any) -> float:
    """PWCCA of X, with its weights as they were meant to be."""
    X, Y = _centred(X, Y)
    Q, R = (np.linalg.qr(Z)[0] for Z in (X, Y))
    left, rho, _ = np.linalg.svd(Q.T @ R, full_matrices=False)
    alpha = np.abs((Q @ left).T @ X).sum(axis=1)
    return float((alpha * rho).sum() / alpha.sum())


def unwhitened(X: Any, Y: Any) -> float:
    """PWCCA with directions u·Xcᵀ + mean in place of u·Σ^(−½)·Xcᵀ, and weights of X itself."""
    C, D = _centred(X, Y)

    def root(Z: Any) -> Any:
        values, vectors = np.linalg.eigh(Z.T @ Z)
        return vectors @ np.diag(values**-0.5) @ vectors.T

    left, rho, _ = np.linalg.svd(root(C) @ C.T @ D @ root(D))
    Q, _ = np.linalg.qr((left.T @ C.T + X.mean(axis=0)[:, None]).T)
    alpha = np.abs(Q.T @ X).sum(axis=1)
    return float((alpha * rho).sum() / alpha.sum())


def squared_distance(X: Any, Y: Any) -> float:
    X, Y = _centred(X, Y)
    return float((X**2).sum() + (Y**2).sum() - 2 * np.linalg.norm(X.T @ Y, "nuc"))


def fitted_riemannian(X: Any, Y: Any) -> float:
    """The distance of e^a·G + e^b·R to H, least over a and b; G and H without the first sample."""
    G, H = ((Z[1:] - Z[0]) @ (Z[1:] - Z[0]).T for Z in (X, Y))
    R = np.eye(len(G)) + 1

    def distance(theta: Any) -> Any:
        a, b = np.exp(theta)
        return np.sqrt((np.log(scipy.linalg.eigvalsh(a * G + b * R, H)) ** 2).sum())

    return float(minimize(distance, (0, 0), method="Nelder-Mead").fun)


ROOTS = "to half of the digits: it takes roots of eigenvalues that are zero but for rounding"
UNWHITENED = (
    "applies the canonical coefficients to features that are not whitened, adds the mean to each "
    "direction, and weighs by features that still have their mean"
)
OTHER_AXES = (
    "whitens before it centres, and cuts at 99 % of the variance after that, of axes that all have "
    "the same; divides by the width: 0.98 between X and X"
)


def late(X: Any) -> Any:
    """Return the axes that are left if features are whitened, centred, and only then cut."""
    white, _, _ = np.linalg.svd(X.astype(float), full_matrices=False)
    left, values, _ = np.linalg.svd(white - white.mean(axis=0), full_matrices=False)
    share = np.cumsum(values**2) / np.sum(values**2)
    return left[:, : np.searchsorted(share, 0.99) + 1]


def of_late_axes(power: int) -> Function:
    """Return the mean power of the correlations of such axes, over the width of the features."""

    def mean(X: Any, Y: Any) -> float:
        correlations = np.linalg.svd(late(X).T @ late(Y), compute_uv=False)
        return float(np.sum(correlations**power) / min(X.shape[1], Y.shape[1]))

    return mean


def cases() -> list[Case]:
    """Return all cases of this file."""
    return [*_canonical(), *_distances(), *_bures()]


def _canonical() -> list[Case]:
    google_ = "similarity-repository"
    return [
        Case("cca(form=r2)", "repsim", "cca('yanai')", repsim("cca", "yanai"), data=TALL),
        Case(
            "cca",
            "repsim",
            "cca('pillai')",
            repsim("cca", "pillai"),
            data=TALL,
            note="the mean of ρ; Pillai's trace is a sum of ρ²",
        ),
        Case("cca", "statsmodels", "CanCorr", lambda X, Y: CanCorr(Y, X).cancorr.mean(), data=TALL),
        Case("cca", "scikit-learn", "CCA", sklearn_cca, data=TALL, tolerance=1e-6, loose=1e-4),
        Case(
            "cca",
            google_,
            "svcca get_cca_similarity, mean",
            google_cca,
            on(
                Difference("leaves out the last correlations, 2 % of their sum", by=without_tail),
                *UNEVEN,
            ),
            data=TALL,
        ),
        Case(
            "cca",
            "hyppo",
            "CCA",
            independence.CCA().statistic,
            on(Difference("whitens nothing: it is the biased linear CKA", by=linear_cka), *TALL),
            data=TALL,
        ),
        Case(
            "svcca(form=r2)",
            "repsim",
            "svcca('yanai')",
            repsim("svcca", "yanai"),
            on(Difference(OTHER_AXES, by=of_late_axes(2)), *UNEVEN),
            data=TALL,
        ),
        Case(
            "svcca",
            "repsim",
            "svcca('pillai')",
            repsim("svcca", "pillai"),
            on(Difference(OTHER_AXES, by=of_late_axes(1)), *UNEVEN),
            data=TALL,
        ),
        Case(
            "pwcca",
            "repsim",
            "pwcca",
            repsim("pwcca"),
            on(
                Difference(
                    "is the mean of both directions",
                    by=lambda X, Y: (weighted(X, Y) + weighted(Y, X)) / 2,
                ),
                *TALL,
            ),
            data=TALL,
        ),
        Case(
            "pwcca",
            google_,
            "svcca compute_pwcca",
            google_pwcca,
            {
                **on(Difference(UNWHITENED, by=unwhitened), *EVEN),
                **on(
                    Difference(
                        "takes the rows of X for those of Y where X is the wider one",
                        theirs="IndexError",
                    ),
                    *UNEVEN,
                ),
            },
            data=TALL,
        ),
        Case(
            "linear_regression", "scikit-learn", "LinearRegression, r2_score", regression, data=TALL
        ),
        Case("eigenspace_overlap", "scipy", "linalg.subspace_angles", angles, data=TALL),
    ]


def _distances() -> list[Case]:
    scaled = "procrustes(form=squared, scale=True)"
    return [
        Case("nbs", "scipy", "linalg.orthogonal_procrustes", nuclear, data=EVEN),
        Case(
            scaled,
            "scipy",
            "spatial.procrustes",
            disparity,
            on(
                Difference(
                    "looks for the best scale too: 1 − s² in place of 2 − 2s",
                    by=lambda X, Y: 1 - nuclear(X, Y) ** 2,
                ),
                *EVEN,
            ),
            data=EVEN,
        ),
        Case("procrustes(form=squared)", "qc-procrustes", "orthogonal", rotated()),
        Case(scaled, "qc-procrustes", "orthogonal(scale=True)", rotated(scale=True)),
        Case("permutation_procrustes(form=squared)", "qc-procrustes", "permutation", permuted),
    ]


def _bures() -> list[Case]:
    tang = on_grams(xfer.nbs)
    return [
        Case(
            "nbs",
            "rsatoolbox",
            "compare('bures') of squared distances",
            rsatoolbox("bures"),
            tolerance=1e-6,
            note=ROOTS,
        ),
        Case(
            "bures",
            "rsatoolbox",
            "compare('bures_metric') of squared distances",
            rsatoolbox("bures_metric"),
            on(Difference("is squared, and no metric", by=squared_distance)),
            tolerance=1e-6,
        ),
        Case(
            "nbs",
            "similarity-repository",
            "nn_similarity_index nbs",
            tang,
            on(uncentred(tang), "offset"),
            tolerance=1e-6,
            note=ROOTS,
        ),
        Case(
            "riemannian",
            "rsatoolbox",
            "−compare('neg_riem_dist') of squared distances",
            lambda X, Y: -rsatoolbox("neg_riem_dist")(X, Y),
            on(
                Difference(
                    "is least over mixtures of one Gram matrix with noise, on any scale",
                    by=fitted_riemannian,
                ),
                "wide",
            ),
            data=("wide",),
            tolerance=1e-4,
        ),
    ]
