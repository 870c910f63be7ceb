"""Canonical correlations, regression, Procrustes and Bures distances."""

from typing import Any

import numpy as np
import procrustes
import scipy.linalg
import scipy.spatial
from scipy.spatial.distance import pdist
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import LinearRegression
from statsmodels.multivariate.cancorr import CanCorr

import visavis as vv
from bench.peers.cases import Case, under
from bench.peers.kernel_cases import xfer

google = under("similarity.backend.svcca", "cca_core")
google_pwcca = under("similarity.backend.svcca", "pwcca")
TALL = ("published", "related", "small", "offset", "tied")
EVEN = ("published", "tied")


def repsim(name: str, *options: Any) -> Any:
    import repsim as package

    return lambda X, Y: getattr(package, name)([X, Y], *options)[0, 1]


def sklearn_cca(X: Any, Y: Any) -> Any:
    k = min(X.shape[1], Y.shape[1])
    model = CCA(k, max_iter=100000, tol=1e-14).fit(X, Y)
    scores = model.transform(X, Y)
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*(each.T for each in scores))])


def svcca_by_hand(X: Any, Y: Any, *, cut: float) -> Any:
    """As the tutorial of google/svcca: SVD, the leading directions, then its CCA."""
    kept = []
    for Z in (X, Y):
        U, s, _ = np.linalg.svd((Z - Z.mean(0)).T, full_matrices=False)[::1]
        kept.append(None)
    raise NotImplementedError


def rsatoolbox(method: str) -> Any:
    from rsatoolbox.rdm import compare

    return lambda X, Y: compare(
        *(pdist(Z, "sqeuclidean")[None] for Z in (X, Y)), method=method
    )[0, 0]


def angles(X: Any, Y: Any) -> Any:
    cosines = np.cos(scipy.linalg.subspace_angles(*(Z - Z.mean(0) for Z in (X, Y))))
    return (cosines**2).sum() / max(X.shape[1], Y.shape[1])


def orthogonal(X: Any, Y: Any, **options: Any) -> Any:
    return procrustes.orthogonal(X, Y, translate=True, **options).error


def nuclear(X: Any, Y: Any) -> Any:
    X, Y = (Z - Z.mean(0) for Z in (X, Y))
    return scipy.linalg.orthogonal_procrustes(X, Y)[1] / np.linalg.norm(X) / np.linalg.norm(Y)


CASES = [
    Case(measure="cca(form=r2)", peer="repsim", call="cca('yanai')", theirs=repsim("cca", "yanai"), data=TALL),
    Case(measure="cca", peer="repsim", call="cca('pillai')", theirs=repsim("cca", "pillai"), data=TALL),
    Case(measure="cca", peer="statsmodels", call="CanCorr",
         theirs=lambda X, Y: CanCorr(Y, X).cancorr.mean(), data=TALL),
    Case(measure="cca", peer="scikit-learn", call="CCA", theirs=sklearn_cca, data=TALL, tolerance=1e-6, loose=1e-4),
    Case(measure="cca", peer="similarity-repository", call="svcca.get_cca_similarity",
         theirs=lambda X, Y: google.get_cca_similarity(X.T, Y.T, verbose=False)["mean"][0], data=TALL),
    Case(measure="cca", peer="hyppo", call="CCA", theirs=lambda X, Y: __import__("hyppo.independence").independence.CCA().statistic(X, Y), data=TALL),
    Case(measure="svcca(form=r2)", peer="repsim", call="svcca('yanai')", theirs=repsim("svcca", "yanai"), data=TALL),
    Case(measure="svcca", peer="repsim", call="svcca('pillai')", theirs=repsim("svcca", "pillai"), data=TALL),
    Case(measure="pwcca", peer="repsim", call="pwcca", theirs=repsim("pwcca"), data=TALL),
    Case(measure="pwcca", peer="similarity-repository", call="svcca.compute_pwcca",
         theirs=lambda X, Y: google_pwcca.compute_pwcca(X.T, Y.T)[0], data=TALL),
    Case(measure="linear_regression", peer="scikit-learn", call="LinearRegression, r2_score(variance_weighted)",
         theirs=lambda X, Y: r2(X, Y), data=TALL),
    Case(measure="eigenspace_overlap", peer="scipy", call="subspace_angles", theirs=angles, data=TALL),
    Case(measure="nbs", peer="scipy", call="orthogonal_procrustes", theirs=nuclear, data=EVEN),
    Case(measure="procrustes(form=squared, scale=True)", peer="scipy", call="spatial.procrustes",
         theirs=lambda X, Y: scipy.spatial.procrustes(X, Y)[2], data=EVEN),
    Case(measure="procrustes(form=squared)", peer="qc-procrustes", call="orthogonal",
         theirs=orthogonal),
    Case(measure="procrustes(form=squared, scale=True)", peer="qc-procrustes", call="orthogonal(scale=True)",
         theirs=lambda X, Y: orthogonal(X, Y, scale=True)),
    Case(measure="permutation_procrustes(form=squared)", peer="qc-procrustes", call="permutation",
         theirs=lambda X, Y: procrustes.permutation(X, Y, translate=True).error),
    Case(measure="nbs", peer="rsatoolbox", call="compare('bures') of squared distances", theirs=rsatoolbox("bures")),
    Case(measure="bures", peer="rsatoolbox", call="compare('bures_metric') of squared distances", theirs=rsatoolbox("bures_metric")),
    Case(measure="nbs", peer="similarity-repository", call="nn_similarity_index.nbs",
         theirs=lambda X, Y: xfer.nbs(X @ X.T, Y @ Y.T)),
    Case(measure="riemannian", peer="rsatoolbox", call="compare('neg_riem_dist') of squared distances",
         theirs=lambda X, Y: -rsatoolbox("neg_riem_dist")(X, Y), data=("wide",)),
]


def r2(X: Any, Y: Any) -> Any:
    from sklearn.metrics import r2_score

    return r2_score(Y, LinearRegression().fit(X, Y).predict(X), multioutput="variance_weighted")
