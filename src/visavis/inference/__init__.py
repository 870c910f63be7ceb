"""Inference: how sure a value is, whether it is above chance, and which of two is larger."""

from visavis.inference.ceilings import Ceiling as Ceiling
from visavis.inference.ceilings import agreement as agreement
from visavis.inference.ceilings import ceiling as ceiling
from visavis.inference.contributions import DirectionContributions as DirectionContributions
from visavis.inference.contributions import RowContributions as RowContributions
from visavis.inference.contributions import direction_contributions as direction_contributions
from visavis.inference.contributions import row_contributions as row_contributions
from visavis.inference.diagnosis import diagnose as diagnose
from visavis.inference.differences import difference as difference
from visavis.inference.examples import Example as Example
from visavis.inference.examples import different_examples as different_examples
from visavis.inference.floors import class_floor as class_floor
from visavis.inference.floors import floor as floor
from visavis.inference.intervals import bootstrap as bootstrap
from visavis.inference.intervals import jackknife as jackknife
from visavis.inference.intervals import subsample as subsample
from visavis.inference.discoveries import false_discovery as false_discovery
from visavis.inference.layers import LayerTests as LayerTests
from visavis.inference.layers import layer_tests as layer_tests
from visavis.inference.permutations import permutation_test as permutation_test
from visavis.inference.robustness import Robustness as Robustness
from visavis.inference.robustness import robustness as robustness
from visavis.inference.sides import chance as chance
from visavis.results import Interval as Interval
from visavis.results import TestResult as TestResult
