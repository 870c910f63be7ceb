"""Matching of units, predictivity, outputs of classifiers and permutation tests."""

from typing import Any

import numpy as np
import ot
from bench.peers.cases import Case, Difference, Function
from hyppo.independence import Dcorr
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon, pdist, squareform
from scipy.special import softmax
from scipy.stats import chi2, pearsonr, permutation_test
from skbio.stats.distance import mantel
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import zero_one_loss

import visavis as vv
from visavis import inference

COUNT = 2000
# Four standard errors of the difference of two p-values near 0.3, over 0.3.
CHANCE = 0.15

# Peers, called.


def correlations(X: Any, Y: Any) -> Any:
    return np.corrcoef(X.astype(float).T, Y.astype(float).T)[: X.shape[1], X.shape[1] :]


def transport(X: Any, Y: Any) -> Any:
    C = 1 - correlations(X, Y)
    return 1 - ot.emd2(*(np.full(w, 1 / w) for w in C.shape), C, numItermax=10**7)


def hungarian(X: Any, Y: Any) -> Any:
    C = correlations(X, Y)
    return C[linear_sum_assignment(-C)].mean()


def shannon(X: Any, Y: Any) -> Any:
    P, Q = (softmax(Z.astype(float), axis=1) for Z in (X, Y))
    return np.mean(jensenshannon(P, Q, base=2, axis=1) ** 2)


def disagreement(X: Any, Y: Any) -> Any:
    return zero_one_loss(X.argmax(axis=1), Y.argmax(axis=1))


def predicted(model: Function, score: Function) -> Function:
    """Five runs of rows, each predicted by what was fitted on the others."""

    def value(X: Any, Y: Any) -> Any:
        X, Y = X.astype(float), Y.astype(float)
        found = []
        for test in np.array_split(np.arange(len(X)), 5):
            train = np.setdiff1d(np.arange(len(X)), test)
            fitted = model(X[train], Y[train])
            found.append((Y[test], fitted.predict(X[test]), Y[train].mean(axis=0)))
        return score(found, None)

    return value


def ridge(X: Any, Y: Any) -> Any:
    largest = np.linalg.norm(X - X.mean(axis=0), 2) ** 2
    return RidgeCV([10.0**k * largest for k in range(-8, 3)]).fit(X, Y)


def least_squares(X: Any, Y: Any) -> Any:
    return LinearRegression().fit(X, Y)


def partial_least_squares(X: Any, Y: Any) -> Any:
    return PLSRegression(3, scale=False, tol=1e-24, max_iter=100000).fit(X, Y)


def explained(found: Any, _: Any) -> Any:
    lost, total = (
        sum(((y - other) ** 2).sum() for y, *rest in found for other in (rest[k],)) for k in (0, 1)
    )
    return 1 - lost / total


def median_correlation(found: Any, _: Any) -> Any:
    return np.mean([np.median(pearsonr(y, z, axis=0).statistic) for y, z, _ in found])


# Permutation tests, of a weak relation: few samples, few features.


def weak(X: Any, Y: Any) -> Any:
    return X[:40, :3], Y[:40, :2] - 0.7 * X[:40, :2]


def ours(measure: str) -> Function:
    return lambda X, Y: inference.permutation_test(*weak(X, Y), measure=measure, n=COUNT).pvalue


def hyppo(**options: Any) -> Function:
    return lambda X, Y: Dcorr().test(*weak(X, Y), reps=COUNT, random_state=0, **options).pvalue


def scipy_test(X: Any, Y: Any) -> Any:
    X, Y = weak(X, Y)
    grams = [Z @ Z.T for Z in (X - X.mean(axis=0), Y - Y.mean(axis=0))]

    def statistic(order: Any) -> Any:
        order = order.astype(int)
        return (grams[0] * grams[1][order][:, order]).sum()

    return permutation_test(
        (np.arange(len(X)),),
        statistic,
        permutation_type="pairings",
        n_resamples=COUNT,
        alternative="greater",
        rng=np.random.default_rng(0),
        vectorized=False,
    ).pvalue


def skbio(X: Any, Y: Any) -> Any:
    matrices = [squareform(pdist(Z)) for Z in weak(X, Y)]
    return mantel(*matrices, "pearson", COUNT, "greater", seed=0)[1]


def chi_squared(X: Any, Y: Any) -> Any:
    X, Y = weak(X, Y)
    return chi2.sf(len(X) * float(vv.distance_correlation(X, Y)) + 1, 1)


def cases() -> list[Case]:
    """Return all cases of this file."""
    return [*_matching(), *_prediction(), *_tests()]


def _matching() -> list[Case]:
    return [
        Case("soft_matching", "POT", "emd2", transport),
        Case("hard_matching", "scipy", "optimize.linear_sum_assignment", hungarian),
        Case(
            "jensen_shannon",
            "scipy",
            "spatial.distance.jensenshannon, squared",
            shannon,
            data=("published", "tied"),
        ),
        Case(
            "disagreement",
            "scikit-learn",
            "zero_one_loss",
            disagreement,
            data=("published", "tied"),
        ),
    ]


def _prediction() -> list[Case]:
    def of(options: str, call: str, model: Function, score: Function) -> Case:
        theirs = predicted(model, score)
        return Case(
            f"predictivity(seed=None{options})",
            "scikit-learn",
            call,
            theirs,
            ours=lambda X, Y: vv.predictivity(X, Y, **_options(options)),
            data=("published", "related", "small", "offset", "unrelated"),
            tolerance=1e-7,
        )

    return [
        of("", "RidgeCV, five folds", ridge, explained),
        of(", penalties=0", "LinearRegression, five folds", least_squares, explained),
        of(
            ", model=pls, components=3",
            "PLSRegression, five folds",
            partial_least_squares,
            explained,
        ),
        of(
            ", model=pls, score=pearson, components=3",
            "PLSRegression, pearsonr",
            partial_least_squares,
            median_correlation,
        ),
    ]


def _options(text: str) -> dict[str, Any]:
    pairs = (each.split("=") for each in text.strip(", ").split(", ") if each)
    return {"seed": None, **{k: int(v) if v.isdigit() else v for k, v in pairs}}


def _tests() -> list[Case]:
    def of(
        measure: str, peer: str, call: str, theirs: Function, why: Difference | None = None
    ) -> Case:
        return Case(
            f"inference.permutation_test(measure={measure}), p",
            peer,
            call,
            theirs,
            {"published": why} if why else {},
            ours=ours(measure),
            data=("published",),
            tolerance=CHANCE,
            note=f"within the spread of {COUNT} permutations",
        )

    return [
        of("distance_correlation", "hyppo", "Dcorr.test(auto=False)", hyppo(auto=False)),
        of(
            "distance_correlation",
            "hyppo",
            "Dcorr.test",
            hyppo(),
            Difference("permutes nothing by default: a χ² bound on the p-value", by=chi_squared),
        ),
        of("cka(estimator=biased)", "scipy", "stats.permutation_test('pairings')", scipy_test),
        of("rsa(compare=pearson)", "scikit-bio", "mantel(alternative='greater')", skbio),
    ]
