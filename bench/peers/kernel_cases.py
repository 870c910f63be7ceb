"""HSIC and CKA, with linear and Gaussian kernels."""

from functools import partial
from typing import Any

import numpy as np
import repsim as compiled
import torch
from bench.peers.cases import (
    FLOAT64,
    Case,
    Difference,
    Function,
    narrowed,
    on,
    uncentred,
    under,
    wide,
    widened,
)
from bench.peers.definitions import (
    biased_hsic,
    cka_of,
    debiased_hsic,
    emptied_hsic,
    gaussian,
    linear,
)
from cka import cka_from_features
from cka_pytorch import CKACalculator
from ckatorch.core import cka_base
from hyppo.independence import RV, Hsic
from rsatoolbox.rdm import compare
from scipy.spatial.distance import pdist
from torch_cka import CKA

things_cka = under("thingsvision.core.cka", "cka_numpy").CKANumPy
yuanli = under("similarity.backend.yuanli2333", "CKA")
xfer = under("similarity.backend.nn_similarity_index", "sim_indices").SimIndex()

# Peers, called.


class Columns(torch.nn.Module):
    """A model whose output is some columns of its input."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop
        self.register_parameter("unused", torch.nn.Parameter(torch.zeros(1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.start : self.stop]


def _loader(*arrays: Any) -> Any:
    data = torch.utils.data.TensorDataset(*(torch.from_numpy(each) for each in arrays))
    return torch.utils.data.DataLoader(data, batch_size=len(arrays[0]))


def cka_pytorch(X: Any, Y: Any) -> Any:
    both, p = np.hstack([X, Y]), X.shape[1]
    parts = (Columns(0, p), Columns(p, both.shape[1]))
    models = [torch.nn.Sequential(part) for part in parts]
    calculator = CKACalculator(*models, ["0"], ["0"], verbose=False)
    return calculator.calculate_cka_matrix(_loader(both, both[:, :1]), num_epochs=1)[0, 0]


def torch_cka(X: Any, Y: Any) -> Any:
    models = [torch.nn.Sequential(torch.nn.Identity()) for _ in range(2)]
    found = CKA(*models, "x", "y", ["0"], ["0"])
    found.compare(*(_loader(each.astype(np.float32)) for each in (X, Y)))
    return found.export()["CKA"][0, 0]


def pytorch_cka(X: Any, Y: Any) -> Any:
    return cka_from_features(torch.from_numpy(X), torch.from_numpy(Y))[0, 0]


def ckatorch(**options: Any) -> Function:
    return lambda X, Y: cka_base(torch.from_numpy(X), torch.from_numpy(Y), **options)


def repsim(name: str, *options: str) -> Function:
    return lambda X, Y: getattr(compiled, name)([X, Y], *options)[0, 1]


def things(**options: Any) -> Function:
    return lambda X, Y: things_cka(len(X), **options).compare(X, Y)


def hyppo_hsic(**options: Any) -> Function:
    return lambda X, Y: Hsic("gaussian", **options).statistic(X, Y)


def on_grams(function: Function) -> Function:
    return lambda X, Y: function(X @ X.T, Y @ Y.T)


def rsa_cka(X: Any, Y: Any) -> Any:
    vectors = [pdist(Z, "sqeuclidean")[None] for Z in (X, Y)]
    return compare(*vectors, method="cosine_cov")[0, 0]


# Their definitions, written down anew.


def mixed(above: Function) -> Function:
    return lambda X, Y: cka_of(linear(X), linear(Y), above, biased_hsic)


def gaussian_cka(widths: Function, estimator: Function = biased_hsic) -> Function:
    def value(X: Any, Y: Any) -> float:
        K, L = (gaussian(Z, w) for Z, w in zip((X, Y), widths(X, Y), strict=True))
        return cka_of(K, L, estimator)

    return value


def lower_median(X: Any) -> float:
    """Half of the root of the lower median of all n² squared distances, zeros included."""
    squares = np.sort(
        np.concatenate([np.zeros(len(X)), *[pdist(wide(X, X)[0], "sqeuclidean")] * 2])
    )
    return 0.5 * squares[(squares.size - 1) // 2] ** 0.5


def median_of_unequal(X: Any) -> float:
    squares = pdist(X, "sqeuclidean")
    return float(np.median(squares[squares > 0])) ** 0.5


BOTH_BIASED = "divides the debiased HSIC by biased ones, and sets the diagonal to 1"
EMPTIED = "empties the diagonal after centring, which leaves a bias"
SHARED = "uses the bandwidth of X for Y"
LOWER = (
    "takes the median over all n² entries, zeros of the diagonal included, the lower one if even"
)
UNIT = "has a bandwidth of 1 unless told otherwise, whatever the distances are"

BIASED, DEBIASED = "cka(estimator=biased)", "cka"
RBF, RBF_BIASED = "cka(kernel=rbf(1.0))", "cka(kernel=rbf(1.0), estimator=biased)"
half = partial(ckatorch, kernel="rbf", threshold=0.5)


def cases() -> list[Case]:
    """Return all cases of this file."""
    return [*_linear(), *_hsic(), *_gaussian()]


def _linear() -> list[Case]:
    plain, unbiased = things(kernel="linear"), things(kernel="linear", unbiased=True)
    tang = on_grams(xfer.cka)
    song, lange = (repsim("cka", "linear", name) for name in ("song", "lange"))
    return [
        Case(
            BIASED,
            "thingsvision",
            "CKANumPy(kernel='linear')",
            plain,
            on(narrowed(plain), "offset"),
        ),
        Case(BIASED, "ckatorch", "cka_base", ckatorch()),
        Case(BIASED, "repsim", "cka('linear', 'gretton')", repsim("cka", "linear", "gretton")),
        Case(
            BIASED,
            "similarity-repository",
            "yuanli2333 linear_CKA",
            yuanli.linear_CKA,
            on(narrowed(yuanli.linear_CKA), "offset"),
        ),
        Case(
            BIASED,
            "similarity-repository",
            "nn_similarity_index cka",
            tang,
            on(narrowed(tang), "offset"),
        ),
        Case(BIASED, "hyppo", "RV", RV().statistic, loose=1e-4),
        Case(BIASED, "rsatoolbox", "compare('cosine_cov') of squared distances", rsa_cka),
        Case(
            DEBIASED,
            "thingsvision",
            "CKANumPy(kernel='linear', unbiased=True)",
            unbiased,
            on(narrowed(unbiased), "offset"),
        ),
        Case(DEBIASED, "ckatorch", "cka_base(unbiased=True)", ckatorch(unbiased=True)),
        Case(
            DEBIASED,
            "pytorch-cka",
            "cka_from_features",
            pytorch_cka,
            {
                **on(uncentred(pytorch_cka), "offset"),
                "unrelated": Difference("cuts negative values to 0", by=lambda X, Y: 0.0),
            },
        ),
        Case(
            DEBIASED,
            "cka-pytorch",
            "CKACalculator",
            cka_pytorch,
            {
                **on(uncentred(cka_pytorch), "offset"),
                "small": Difference("adds 10⁻⁴ to the product under the root", by=_with_epsilon),
            },
            tolerance=1e-5,
            note="to single precision, in which it adds up",
        ),
        Case(
            DEBIASED,
            "torch-cka",
            "CKA.compare",
            torch_cka,
            on(uncentred(torch_cka, theirs="AssertionError"), "offset"),
            tolerance=1e-4,
            loose=1e-4,
            note="in single precision, all that it takes",
        ),
        Case(
            DEBIASED,
            "repsim",
            "cka('linear', 'song')",
            song,
            on(Difference(BOTH_BIASED, by=mixed(debiased_hsic))),
        ),
        Case(
            DEBIASED,
            "repsim",
            "cka('linear', 'lange')",
            lange,
            on(Difference(f"{EMPTIED}; {BOTH_BIASED}", by=mixed(emptied_hsic))),
        ),
    ]


def _with_epsilon(X: Any, Y: Any) -> float:
    K, L = linear(X), linear(Y)
    product = debiased_hsic(K, K) * debiased_hsic(L, L)
    return debiased_hsic(K, L) / np.sqrt(product + 1e-4)


def _hsic() -> list[Case]:
    def summed(X: Any, Y: Any) -> float:
        return (len(X) - 1) ** 2 * biased_hsic(linear(X), linear(Y))

    def over(X: Any, Y: Any) -> Any:
        return widened(yuanli.linear_HSIC)(X, Y) / (len(X) - 1) ** 2

    words = "leaves out the division by (n − 1)²"
    lange = on(Difference(EMPTIED, by=lambda X, Y: emptied_hsic(linear(X), linear(Y))))
    return [
        Case(
            "hsic(estimator=biased)",
            "repsim",
            "hsic('linear', 'gretton')",
            repsim("hsic", "linear", "gretton"),
        ),
        Case(
            "hsic(estimator=biased)",
            "similarity-repository",
            "yuanli2333 linear_HSIC",
            yuanli.linear_HSIC,
            {
                **on(Difference(words, by=summed)),
                "offset": Difference(f"{words}; and {narrowed(over).reason}", without=over),
            },
        ),
        Case("hsic", "repsim", "hsic('linear', 'song')", repsim("hsic", "linear", "song")),
        Case("hsic", "repsim", "hsic('linear', 'lange')", repsim("hsic", "linear", "lange"), lange),
    ]


def _gaussian() -> list[Case]:
    own, fixed = things(kernel="rbf", sigma=None), things(kernel="rbf")
    by_unit = gaussian_cka(lambda X, Y: (1.0, 1.0))
    by_lower = partial(gaussian_cka, lambda X, Y: (lower_median(X), lower_median(Y)))

    def shared(estimator: Function) -> Function:
        return gaussian_cka(lambda X, Y: (np.median(pdist(X)),) * 2, estimator)

    numba = Difference("cannot take float32", theirs="TypingError")
    return [
        Case(RBF_BIASED, "repsim", "cka('rbf', 'gretton')", repsim("cka", "rbf", "gretton")),
        Case(
            RBF_BIASED,
            "thingsvision",
            "CKANumPy(kernel='rbf', sigma=None)",
            own,
            {
                **on(narrowed(own), "offset"),
                "tied": Difference(
                    "leaves distances of 0 between samples out of the median",
                    by=gaussian_cka(lambda X, Y: (median_of_unequal(X), median_of_unequal(Y))),
                ),
            },
        ),
        Case(
            RBF_BIASED,
            "thingsvision",
            "CKANumPy(kernel='rbf')",
            fixed,
            {
                **on(Difference(UNIT, by=by_unit)),
                "offset": Difference(f"{UNIT}; and {narrowed(fixed).reason}", theirs="NaN"),
            },
        ),
        Case(
            "cka(kernel=rbf(0.5), estimator=biased)",
            "ckatorch",
            "cka_base(kernel='rbf', threshold=0.5)",
            half(),
            on(Difference(LOWER, by=by_lower())),
        ),
        Case(
            "cka(kernel=rbf(0.5, median=all))",
            "ckatorch",
            "cka_base(kernel='rbf', threshold=0.5, unbiased=True)",
            half(unbiased=True),
            on(
                Difference(
                    "takes the lower one of the two middle entries", by=by_lower(debiased_hsic)
                ),
                *FLOAT64,
            ),
        ),
        Case(
            RBF,
            "hyppo",
            "Hsic",
            hyppo_hsic(bias=False),
            {**on(Difference(SHARED, by=shared(debiased_hsic))), "offset": numba},
        ),
        Case(
            RBF_BIASED,
            "hyppo",
            "Hsic(bias=True)",
            hyppo_hsic(bias=True),
            {
                **on(
                    Difference(
                        f"{SHARED}, and is the root",
                        by=lambda X, Y: shared(biased_hsic)(X, Y) ** 0.5,
                    )
                ),
                "offset": numba,
            },
        ),
    ]
