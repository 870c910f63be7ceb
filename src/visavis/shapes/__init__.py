"""Shape space: representations as points, with geodesics, tangents, means and paths between them.

A shape is a representation up to translation, scale and orthogonal maps: ``X̂ = Xc/‖Xc‖`` and all
its turns. Shapes are as far apart as `visavis.procrustes` says, and on the way from one to the
other lie representations as well.
"""

from visavis.shapes.maps import align as align
from visavis.shapes.maps import exp_map as exp_map
from visavis.shapes.maps import geodesic as geodesic
from visavis.shapes.maps import log_map as log_map
from visavis.shapes.means import FrechetMean as FrechetMean
from visavis.shapes.means import TangentPCA as TangentPCA
from visavis.shapes.means import frechet_mean as frechet_mean
from visavis.shapes.means import tangent_pca as tangent_pca
from visavis.shapes.paths import path_length as path_length
from visavis.shapes.paths import straightness as straightness

__all__ = [
    "FrechetMean",
    "TangentPCA",
    "align",
    "exp_map",
    "frechet_mean",
    "geodesic",
    "log_map",
    "path_length",
    "straightness",
    "tangent_pca",
]
