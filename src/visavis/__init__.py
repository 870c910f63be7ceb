"""visavis: how alike two neural representations are, how sure you can be of it, and why."""

from importlib import import_module as _import_module
from typing import Any as _Any

from visavis import dimension as dimension
from visavis import kernels as kernels
from visavis import shapes as shapes
from visavis._core.errors import DegenerateInputError as DegenerateInputError
from visavis._core.errors import LayerNotFoundError as LayerNotFoundError
from visavis._core.errors import SampleMismatchError as SampleMismatchError
from visavis._core.errors import SaturatedError as SaturatedError
from visavis._core.errors import StoreFormatError as StoreFormatError
from visavis.measures import Measure as Measure
from visavis.measures import accuracy_difference as accuracy_difference
from visavis.measures import bures as bures
from visavis.measures import canonical_ridge as canonical_ridge
from visavis.measures import cca as cca
from visavis.measures import cka as cka
from visavis.measures import cknna as cknna
from visavis.measures import class_cka as class_cka
from visavis.measures import concentricity_difference as concentricity_difference
from visavis.measures import convolution_procrustes as convolution_procrustes
from visavis.measures import cross_validated as cross_validated
from visavis.measures import cycle_knn as cycle_knn
from visavis.measures import disagreement as disagreement
from visavis.measures import distance_correlation as distance_correlation
from visavis.measures import eigenspace_overlap as eigenspace_overlap
from visavis.measures import gromov_wasserstein as gromov_wasserstein
from visavis.measures import gulp as gulp
from visavis.measures import hard_matching as hard_matching
from visavis.measures import held_out as held_out
from visavis.measures import hsic as hsic
from visavis.measures import imd as imd
from visavis.measures import information_imbalance as information_imbalance
from visavis.measures import jensen_shannon as jensen_shannon
from visavis.measures import knn_jaccard as knn_jaccard
from visavis.measures import lcs_knn as lcs_knn
from visavis.measures import linear_regression as linear_regression
from visavis.measures import magnitude_difference as magnitude_difference
from visavis.measures import match_weights as match_weights
from visavis.measures import mutual_knn as mutual_knn
from visavis.measures import nbs as nbs
from visavis.measures import partial_cka as partial_cka
from visavis.measures import permutation_procrustes as permutation_procrustes
from visavis.measures import predictivity as predictivity
from visavis.measures import prefix_cka as prefix_cka
from visavis.measures import procrustes as procrustes
from visavis.measures import pwcca as pwcca
from visavis.measures import rank_similarity as rank_similarity
from visavis.measures import registry as registry
from visavis.measures import riemannian as riemannian
from visavis.measures import rsa as rsa
from visavis.measures import rsm_norm_difference as rsm_norm_difference
from visavis.measures import rtd as rtd
from visavis.measures import sampled_cka as sampled_cka
from visavis.measures import second_order_cosine as second_order_cosine
from visavis.measures import semi_matching as semi_matching
from visavis.measures import shape_distance as shape_distance
from visavis.measures import soft_matching as soft_matching
from visavis.measures import stochastic_shape as stochastic_shape
from visavis.measures import svcca as svcca
from visavis.measures import tensor_similarity as tensor_similarity
from visavis.measures import uniformity_difference as uniformity_difference
from visavis.measures import weight_matching as weight_matching
from visavis.models import extract as extract
from visavis.models import layers as layers
from visavis.models import stream as stream
from visavis.pairs import Plan as Plan
from visavis.pairs import compare as compare
from visavis.pairs import over_time as over_time
from visavis.pairs import plan as plan
from visavis.results import Activations as Activations
from visavis.results import Comparison as Comparison
from visavis.results import ComparisonSet as ComparisonSet
from visavis.results import Finding as Finding
from visavis.results import ModelComparison as ModelComparison
from visavis.stats import Moments as Moments
from visavis.store import load as load

__version__ = "0.1.0.dev0"

# They load PyTorch, matplotlib or the distributions of SciPy when they are used.
_LAZY = ("benchmark", "inference", "plot", "report")


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        return _import_module(f"visavis.{name}")
    raise AttributeError(f"module 'visavis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*(name for name in globals() if not name.startswith("_")), *_LAZY])
