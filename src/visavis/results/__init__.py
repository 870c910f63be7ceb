"""Values that other floors make and draw: activations, comparisons, findings."""

from visavis.results.activations import Activations as Activations
from visavis.results.activations import Lazy as Lazy
from visavis.results.activations import Part as Part
from visavis.results.comparison import Comparison as Comparison
from visavis.results.comparison import ComparisonSet as ComparisonSet
from visavis.results.comparison import Scale as Scale
from visavis.results.correspond import correspond as correspond
from visavis.results.estimate import Interval as Interval
from visavis.results.estimate import TestResult as TestResult
from visavis.results.finding import CODES as CODES
from visavis.results.finding import Finding as Finding
from visavis.results.finding import silence as silence
from visavis.results.grouped import Grouped as Grouped
from visavis.results.many import ModelComparison as ModelComparison
