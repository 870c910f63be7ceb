"""The registry: every measure by name, and the ways in which a user may name one."""

import ast
import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from visavis import kernels
from visavis._core import checks
from visavis.measures.alignment import CKA, HSIC
from visavis.measures.bilinear import TENSOR_SIMILARITY
from visavis.measures.bures import BURES, NBS
from visavis.measures.canonical import CCA, PWCCA, SVCCA
from visavis.measures.controlled import CLASS_CKA, PARTIAL_CKA
from visavis.measures.convolution import CONVOLUTION_PROCRUSTES
from visavis.measures.coupling import SOFT_MATCHING
from visavis.measures.descriptive import (
    CONCENTRICITY_DIFFERENCE,
    MAGNITUDE_DIFFERENCE,
    UNIFORMITY_DIFFERENCE,
)
from visavis.measures.distance_correlation import DISTANCE_CORRELATION
from visavis.measures.information import INFORMATION_IMBALANCE
from visavis.measures.intrinsic import IMD
from visavis.measures.matching import HARD_MATCHING, SEMI_MATCHING
from visavis.measures.measure import Measure
from visavis.measures.neighbour_order import LCS_KNN, RANK_SIMILARITY
from visavis.measures.neighbour_similarity import CKNNA, SECOND_ORDER_COSINE
from visavis.measures.neighbours import CYCLE_KNN, KNN_JACCARD, MUTUAL_KNN
from visavis.measures.neurons import PREFIX_CKA, SAMPLED_CKA
from visavis.measures.outputs import ACCURACY_DIFFERENCE, DISAGREEMENT
from visavis.measures.permutation import PERMUTATION_PROCRUSTES
from visavis.measures.predictivity import PREDICTIVITY
from visavis.measures.probabilities import JENSEN_SHANNON
from visavis.measures.regression import CANONICAL_RIDGE, LINEAR_REGRESSION
from visavis.measures.rsa import RSA
from visavis.measures.shape import PROCRUSTES
from visavis.measures.similarity_matrices import RIEMANNIAN, RSM_NORM_DIFFERENCE
from visavis.measures.spectral import EIGENSPACE_OVERLAP, GULP
from visavis.measures.stochastic import STOCHASTIC_SHAPE
from visavis.measures.topology import RTD
from visavis.measures.transport import GROMOV_WASSERSTEIN
from visavis.measures.weights import WEIGHT_MATCHING
from visavis.measures.whitened import SHAPE_DISTANCE

registry: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            CKA,
            CLASS_CKA,
            PARTIAL_CKA,
            SAMPLED_CKA,
            PREFIX_CKA,
            HSIC,
            DISTANCE_CORRELATION,
            CCA,
            SVCCA,
            PWCCA,
            CANONICAL_RIDGE,
            EIGENSPACE_OVERLAP,
            PROCRUSTES,
            SHAPE_DISTANCE,
            BURES,
            NBS,
            PERMUTATION_PROCRUSTES,
            CONVOLUTION_PROCRUSTES,
            STOCHASTIC_SHAPE,
            HARD_MATCHING,
            SEMI_MATCHING,
            SOFT_MATCHING,
            GROMOV_WASSERSTEIN,
            RSA,
            RSM_NORM_DIFFERENCE,
            RIEMANNIAN,
            MUTUAL_KNN,
            KNN_JACCARD,
            RANK_SIMILARITY,
            SECOND_ORDER_COSINE,
            CKNNA,
            CYCLE_KNN,
            LCS_KNN,
            INFORMATION_IMBALANCE,
            MAGNITUDE_DIFFERENCE,
            CONCENTRICITY_DIFFERENCE,
            UNIFORMITY_DIFFERENCE,
            RTD,
            IMD,
            LINEAR_REGRESSION,
            PREDICTIVITY,
            GULP,
            DISAGREEMENT,
            JENSEN_SHANNON,
            ACCURACY_DIFFERENCE,
            TENSOR_SIMILARITY,
            WEIGHT_MATCHING,
        )
    }
)
"""Every measure of visavis: name to record, family by family."""

MeasureSpec = str | Measure | Callable[..., Any]


def resolve(spec: MeasureSpec) -> Measure:
    """Return the measure that a user names.

    Parameters
    ----------
    spec : str, Measure or function
        A name (``"cka"``), a name with options (``"cka(kernel=rbf(0.4), estimator=biased)"``), a
        record, one of the functions (``vv.cka``), or a ``functools.partial`` of one.

    Returns
    -------
    Measure
        The record under these options.

    Raises
    ------
    ValueError
        If there is no such measure, or the text cannot be read.
    TypeError
        If the measure has no such option.
    """
    if isinstance(spec, Measure):
        return spec
    if isinstance(spec, str):
        return _from_text(spec)
    options: Mapping[str, Any] = {}
    if isinstance(spec, functools.partial) and not spec.args:
        spec, options = spec.func, spec.keywords
    for measure in registry.values():
        if spec is measure.function:
            return measure.with_options(**options)
    raise ValueError(
        checks.message(
            "compare",
            "measure",
            "be a name, a record of visavis.registry or a function of visavis",
            repr(spec),
            _choices(),
        )
    )


def _from_text(text: str) -> Measure:
    """Read ``name`` or ``name(option=value, ...)`` without evaluating anything."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise _unreadable(text) from None
    if isinstance(tree, ast.Name):
        return _named(tree.id)
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args):
        raise _unreadable(text)
    options = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise _unreadable(text)
        options[keyword.arg] = _value(keyword.value, text)
    return _named(tree.func.id).with_options(**options)


def _value(node: ast.expr, text: str) -> Any:
    """Return a literal, a bare word as a string, a tuple, or a kernel with its parameters."""
    if isinstance(node, ast.Name):
        return float("inf") if node.id == "inf" else node.id
    if isinstance(node, ast.Tuple):
        return tuple(_value(each, text) for each in node.elts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id not in kernels.NAMED:
            raise _unreadable(text)
        arguments = [_value(each, text) for each in node.args]
        if any(each.arg is None for each in node.keywords):
            raise _unreadable(text)
        keywords = {str(each.arg): _value(each.value, text) for each in node.keywords}
        try:
            return kernels.NAMED[node.func.id](*arguments, **keywords)
        except TypeError:  # too many arguments, or one that the kernel does not have
            raise _unreadable(text) from None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _unreadable(text) from None
    if not isinstance(value, str | int | float | bool | None):
        raise _unreadable(text)
    return value


def _named(name: str) -> Measure:
    if name not in registry:
        raise ValueError(
            checks.message("compare", "measure", "name a measure", repr(name), _choices())
        )
    return registry[name]


def _unreadable(text: str) -> ValueError:
    return ValueError(
        checks.message(
            "compare",
            "measure",
            "be a name or name(option=value, ...)",
            repr(text),
            f"For instance cka(kernel=rbf(0.4), estimator=biased). {_choices()}",
        )
    )


def _choices() -> str:
    return f"The measures are {', '.join(registry)}."
