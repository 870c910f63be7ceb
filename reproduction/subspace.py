"""Fig. 8: what two networks share lies in the leading directions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reproduction import curves
from reproduction.experiment import Claim, Experiment
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = ("conv2", "conv5", "conv7")
LEADING = 10


def compute(lab: Lab) -> dict[str, Any]:
    nets = dict(list(seeds(lab.plan.table2).items())[:2])
    one, other = lab.layers(nets, lab.sizes["images"]).values()
    result: dict[str, Any] = {"networks": list(nets), "layers": {}}
    for layer in LAYERS:
        result["layers"][layer] = shared(np.asarray(one[layer]), np.asarray(other[layer]))
    return result


def shared(X: np.ndarray, Y: np.ndarray) -> dict[str, list[float]]:
    """Return for each eigenvector u of XXᵀ, λ first: λ, ‖YYᵀu‖, and the cosine of u with YYᵀu.

    Both are parts of the whole: X and Y are scaled so that their XXᵀ has a norm of 1, and then
    ``Σ λ ‖YYᵀu‖ cos`` is their linear CKA.
    """
    K, L = (Z @ Z.T for Z in (centred(X), centred(Y)))
    K, L = K / np.linalg.norm(K), L / np.linalg.norm(L)
    eigenvalues, U = np.linalg.eigh(K)
    eigenvalues, U = eigenvalues[::-1], U[:, ::-1]
    moved = L @ U
    lengths = np.linalg.norm(moved, axis=0)
    # Centring leaves one direction with nothing in it: the last is no direction of the data.
    kept = slice(0, len(K) - 1)
    cosines = np.sum(U * moved, axis=0)[kept] / lengths[kept]
    return {
        "eigenvalue": eigenvalues[kept].tolist(),
        "length": lengths[kept].tolist(),
        "cosine": cosines.tolist(),
    }


def centred(X: np.ndarray) -> np.ndarray:
    """Return X with columns of mean 0, in double precision."""
    wide = X.reshape(len(X), -1).astype(np.float64)
    return wide - wide.mean(axis=0)


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    made, (left, right) = curves.figure(2)
    ranks = {layer: range(1, len(each["length"]) + 1) for layer, each in result["layers"].items()}
    scales = {"xscale": "log", "xlabel": "eigenvector u of XXᵀ, by its eigenvalue"}
    lengths = {layer: each["length"] for layer, each in result["layers"].items()}
    cosines = {layer: each["cosine"] for layer, each in result["layers"].items()}
    for ax, values, label, more in (
        (left, lengths, "‖YYᵀu‖", {"yscale": "log"}),
        (right, cosines, "cosine of u and YYᵀu", {}),
    ):
        lines = {layer: {"x": ranks[layer], "y": each} for layer, each in values.items()}
        curves.draw(ax, lines, ylabel=label, key=ax is right, **scales, **more)
    return {"fig8": made}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    told, good = [], []
    for layer, each in result["layers"].items():
        half = len(each["cosine"]) // 2
        first = float(np.mean(each["cosine"][:LEADING]))
        rest = float(np.mean(each["cosine"][half:]))
        length = each["length"][0] / each["length"][half]
        told.append(f"{layer} {first:.2f} against {rest:.2f} (‖YYᵀu‖ falls {length:.0f}-fold)")
        good.append(first > 2 * rest)
    return [
        Claim(
            "Networks share the directions in which they vary most, and not the others.",
            f"Mean cosine of the first {LEADING} eigenvectors, against the second half of all: "
            + "; ".join(told)
            + ".",
            all(good),
        )
    ]


EXPERIMENT = Experiment(
    name="fig8",
    title="Fig. 8: the shared subspace",
    about=(
        "X and Y are the same layer of two Tiny-10 nets. For each eigenvector u of XXᵀ: how long "
        "YYᵀu is, and whether u is a direction of Y as well. Both Gram matrices have norm 1."
    ),
    nets=lambda plan: plan.table2[:2],
    sizes={"images": (500, 100)},
    compute=compute,
    figures=("fig8",),
    draw=draw,
    claims=claims,
)
