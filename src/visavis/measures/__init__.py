"""Measures: each a function of two arrays and a record of what is true of it."""

from visavis.measures.alignment import cka as cka
from visavis.measures.alignment import hsic as hsic
from visavis.measures.canonical import cca as cca
from visavis.measures.canonical import pwcca as pwcca
from visavis.measures.canonical import svcca as svcca
from visavis.measures.measure import Measure as Measure
from visavis.measures.measure import Preparation as Preparation
from visavis.measures.measure import Shapes as Shapes
from visavis.measures.registry import MeasureSpec as MeasureSpec
from visavis.measures.registry import registry as registry
from visavis.measures.registry import resolve as resolve
from visavis.measures.regression import canonical_ridge as canonical_ridge
from visavis.measures.regression import linear_regression as linear_regression
from visavis.measures.shape import procrustes as procrustes
