"""Independent oracles: each measure written from its definition, slowly, in NumPy and SciPy.

An oracle answers in Python floats and imports nothing from the package under test. Where one
quantity has two routes (n×n matrices or features, a formula or an actual minimisation), the
oracle takes the one that a fast implementation would not; `test_oracles` equates both routes.
"""

from . import exact as exact
from .cca import canonical_correlations as canonical_correlations
from .cca import cca as cca
from .cca import kept_components as kept_components
from .cca import pwcca as pwcca
from .cca import svcca as svcca
from .centring import centred as centred
from .centring import double_centred as double_centred
from .centring import u_centred as u_centred
from .controlled import class_cka as class_cka
from .controlled import partial_cka as partial_cka
from .controlled import prefix_cka as prefix_cka
from .controlled import sampled_cka as sampled_cka
from .dimension import effective_rank as effective_rank
from .dimension import participation_ratio as participation_ratio
from .dimension import two_nn as two_nn
from .distances import distance_correlation as distance_correlation
from .hsic import cka as cka
from .hsic import hsic as hsic
from .hsic import hsic_three_terms as hsic_three_terms
from .intrinsic import concentricity_difference as concentricity_difference
from .intrinsic import imd as imd
from .intrinsic import magnitude_difference as magnitude_difference
from .intrinsic import uniformity_difference as uniformity_difference
from .kernels import cosine as cosine
from .kernels import laplacian as laplacian
from .kernels import linear as linear
from .kernels import polynomial as polynomial
from .kernels import precomputed as precomputed
from .kernels import rbf as rbf
from .matching import convolution_procrustes as convolution_procrustes
from .matching import gromov_wasserstein as gromov_wasserstein
from .matching import hard_matching as hard_matching
from .matching import permutation_procrustes as permutation_procrustes
from .matching import semi_matching as semi_matching
from .matching import soft_matching as soft_matching
from .neighbours import cknna as cknna
from .neighbours import cycle_knn as cycle_knn
from .neighbours import information_imbalance as information_imbalance
from .neighbours import knn_jaccard as knn_jaccard
from .neighbours import lcs_knn as lcs_knn
from .neighbours import mutual_knn as mutual_knn
from .neighbours import rank_similarity as rank_similarity
from .neighbours import second_order_cosine as second_order_cosine
from .outputs import accuracy_difference as accuracy_difference
from .outputs import disagreement as disagreement
from .outputs import jensen_shannon as jensen_shannon
from .permutations import permutation_mean as permutation_mean
from .permutations import permutation_values as permutation_values
from .prediction import predictivity as predictivity
from .procrustes import best_rotation as best_rotation
from .procrustes import procrustes as procrustes
from .regression import canonical_ridge as canonical_ridge
from .regression import linear_regression as linear_regression
from .rsa import rsa as rsa
from .shape import bures as bures
from .shape import nbs as nbs
from .shape import shape_distance as shape_distance
from .spans import basis as basis
from .spans import projection as projection
from .spans import rank as rank
from .spectral import eigenspace_overlap as eigenspace_overlap
from .spectral import gulp as gulp
from .spectral import riemannian as riemannian
from .spectral import rsm_norm_difference as rsm_norm_difference
from .topology import rtd as rtd
from .weights import tensor_similarity as tensor_similarity
from .weights import weight_matching as weight_matching
