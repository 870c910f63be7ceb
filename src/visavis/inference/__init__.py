"""Inference: how sure a value is, whether it is above chance, and which of two is larger."""

from visavis.inference.differences import difference as difference
from visavis.inference.intervals import bootstrap as bootstrap
from visavis.inference.intervals import jackknife as jackknife
from visavis.inference.intervals import subsample as subsample
from visavis.inference.layers import LayerTests as LayerTests
from visavis.inference.layers import layer_tests as layer_tests
from visavis.inference.permutations import permutation_test as permutation_test
from visavis.inference.sides import chance as chance
from visavis.results import Interval as Interval
from visavis.results import TestResult as TestResult
