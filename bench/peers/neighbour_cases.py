"""Neighbours, information imbalance, intrinsic dimension and topology."""

from typing import Any

import gudhi
import numpy as np
from bench.peers.cases import Case, Difference, Function, narrowed, on, wide
from dadapy import Data, MetricComparisons
from ripser import ripser
from scipy.spatial.distance import pdist, squareform
from skdim.id import TwoNN, lPCA
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

import visavis as vv
from visavis import dimension

# Peers, called.


def sklearn(k: int, metric: str, score: Function) -> Function:
    def value(X: Any, Y: Any) -> Any:
        found = [
            NearestNeighbors(n_neighbors=k, metric=metric).fit(Z).kneighbors()[1] for Z in (X, Y)
        ]
        return np.mean([score(set(a), set(b)) for a, b in zip(*found, strict=True)])

    return value


def sklearn_in_order(k: int, metric: str, score: Function) -> Function:
    """All distances, without that to the sample itself, and equal ones in the order of samples."""

    def value(X: Any, Y: Any) -> Any:
        found = []
        for Z in wide(X, Y):
            distances = pairwise_distances(Z, metric=metric).round(12)
            np.fill_diagonal(distances, np.inf)
            found.append(np.argsort(distances, axis=1, kind="stable")[:, :k])
        return np.mean([score(set(a), set(b)) for a, b in zip(*found, strict=True)])

    return value


def overlap(a: Any, b: Any) -> float:
    return len(a & b) / len(a)


def jaccard(a: Any, b: Any) -> float:
    return len(a & b) / len(a | b)


def dadapy_overlap(k: int) -> Function:
    return lambda X, Y: MetricComparisons(X, maxk=k).return_data_overlap(Y, k=k)


def dadapy_imbalance(k: int) -> Function:
    return lambda X, Y: MetricComparisons(X).return_information_imbalace(Y, k=k)[0][0]


def dadapy_dimension(X: Any, Y: Any) -> Any:
    return Data(X, maxk=3).compute_id_2NN()[0]


def skdim_dimension(X: Any, Y: Any) -> Any:
    return TwoNN(discard_fraction=0.1).fit(X).dimension_


def skdim_participation(X: Any, Y: Any) -> Any:
    return lPCA(ver="participation_ratio").fit(X).dimension_


def rtd_with(bars: Function) -> Function:
    """RTD as its authors build the graph: zeros between all points of the first half."""

    def value(X: Any, Y: Any) -> float:
        distances = [squareform(pdist(Z[:40])) for Z in wide(X, Y)]
        w, v = (D / np.quantile(D, 0.9) for D in distances)
        return (_one_way(bars, w, v) + _one_way(bars, v, w)) / 2

    return value


def _one_way(bars: Function, w: Any, v: Any) -> float:
    n = len(w)
    upper = np.triu(np.full((n, n), np.inf), 1)
    mixed = np.where(np.isinf(upper), np.inf, w)
    graph = np.block([[np.zeros((n, n)), mixed.T], [mixed, np.minimum(w, v)]])
    graph[:n, :n] = w
    whole = np.full((2 * n + 1, 2 * n + 1), np.inf)
    whole[: 2 * n, : 2 * n] = graph
    whole[2 * n, :n] = whole[:n, 2 * n] = whole[2 * n, 2 * n] = 0
    births, deaths = np.asarray(bars(whole, None)).T
    return float((deaths - births).sum())


def with_ripser(graph: Any, _: Any) -> Any:
    return ripser(graph, maxdim=1, distance_matrix=True)["dgms"][1]


def with_gudhi(graph: Any, _: Any) -> Any:
    largest = graph[np.isfinite(graph)].max()
    tree = gudhi.RipsComplex(distance_matrix=graph, max_edge_length=largest).create_simplex_tree(2)
    tree.compute_persistence()
    return tree.persistence_intervals_in_dimension(1).reshape(-1, 2)


# Their definitions, written down anew.


def _orders(X: Any, Y: Any) -> Any:
    """All samples by distance, whatever stands first taken for the sample itself."""
    return [NearestNeighbors(n_neighbors=len(Z)).fit(Z).kneighbors(Z)[1].tolist() for Z in (X, Y)]


def overlap_after_first(k: int) -> Function:
    def value(X: Any, Y: Any) -> Any:
        found = [NearestNeighbors(n_neighbors=k + 1).fit(Z).kneighbors(Z)[1] for Z in (X, Y)]
        pairs = zip(*found, strict=True)
        return np.mean([len(set(a[1:]) & set(b[1:])) / k for a, b in pairs])

    return value


def imbalance_after_first(k: int) -> Function:
    def value(X: Any, Y: Any) -> Any:
        ranks = [b.index(j) for a, b in zip(*_orders(X, Y), strict=True) for j in a[1 : k + 1]]
        return 2 / len(X) * np.mean(ranks)

    return value


def two_nn_of_distinct(X: Any, Y: Any) -> Any:
    near = np.sort(squareform(pdist(X)), axis=1)
    near = near[near[:, 1] > 0]
    kept = int(0.9 * len(near))
    x = np.sort(np.log(near[:, 2] / near[:, 1]))[:kept]
    y = -np.log(1 - np.arange(1, kept + 1) / len(near))
    return x @ y / (x @ x)


FIRST = "takes the first of equally near rows for the sample itself, and the others in any order"
REFUSED = "DegenerateInputError"


def cases() -> list[Case]:
    """Return all cases of this file."""
    return [*_overlaps(), *_others()]


def _overlaps() -> list[Case]:
    found = []
    angle = Difference("takes the angle of a row of zeros for a right one", ours=REFUSED)
    for name, score in (("mutual_knn", overlap), ("knn_jaccard", jaccard)):
        for metric in ("cosine", "euclidean"):
            ties = Difference(
                "takes equally near neighbours in any order",
                without=sklearn_in_order(10, metric, score),
            )
            theirs = sklearn(10, metric, score)
            far = on(narrowed(theirs), "offset") if metric == "cosine" else {}
            found.append(
                Case(
                    f"{name}(k=10, metric={metric})",
                    "scikit-learn",
                    f"NearestNeighbors(metric='{metric}')",
                    theirs,
                    {"tied": angle if metric == "cosine" else ties, **far},
                )
            )
    found.append(
        Case(
            "mutual_knn(k=10, metric=euclidean)",
            "dadapy",
            "return_data_overlap",
            dadapy_overlap(10),
            on(Difference(FIRST, by=overlap_after_first(10)), "tied"),
        )
    )
    return found


def _others() -> list[Case]:
    found = []
    found += [
        *(
            Case(
                f"information_imbalance(k={k})",
                "dadapy",
                "return_information_imbalace",
                dadapy_imbalance(k),
                on(Difference(FIRST, by=imbalance_after_first(k)), "tied"),
            )
            for k in (1, 5)
        ),
        Case(
            "dimension.two_nn",
            "dadapy",
            "compute_id_2NN",
            dadapy_dimension,
            on(Difference("equal rows have no ratio", ours=REFUSED, theirs="ValueError"), "tied"),
            ours=_first(dimension.two_nn),
        ),
        Case(
            "dimension.two_nn",
            "scikit-dimension",
            "TwoNN",
            skdim_dimension,
            on(Difference("leaves equal rows out", ours=REFUSED, by=two_nn_of_distinct), "tied"),
            ours=_first(dimension.two_nn),
        ),
        Case(
            "dimension.participation_ratio",
            "scikit-dimension",
            "lPCA(ver='participation_ratio')",
            skdim_participation,
            ours=_first(dimension.participation_ratio),
        ),
        *(
            Case(
                "rtd",
                peer,
                "bars of the graph of the authors, 40 samples",
                rtd_with(bars),
                ours=lambda X, Y: vv.rtd(X[:40], Y[:40]),
                tolerance=1e-6,
            )
            for peer, bars in (("gudhi", with_gudhi), ("ripser", with_ripser))
        ),
    ]
    return found


def _first(function: Any) -> Function:
    return lambda X, Y: function(X)
