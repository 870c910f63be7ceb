"""Grounding tests: whether a measure sees what is known to be there, and nothing else.

Sensitivity and specificity after Ding et al. 2021, separation and order after ReSi (Klabunde et
al. 2024). Each test returns a `Grounding`; a `GroundingTable` says which measures pass.
"""

from visavis.benchmark.grounding.components import component_deletion as component_deletion
from visavis.benchmark.grounding.groups import group_separation as group_separation
from visavis.benchmark.grounding.monotonicity import layer_monotonicity as layer_monotonicity
from visavis.benchmark.grounding.outputs import output_correlation as output_correlation
from visavis.benchmark.grounding.probes import probe_accuracy as probe_accuracy
from visavis.benchmark.grounding.result import Grounding as Grounding
from visavis.benchmark.grounding.result import Score as Score
from visavis.benchmark.grounding.seeds import seeds_against_layers as seeds_against_layers
from visavis.benchmark.grounding.table import GroundingTable as GroundingTable
from visavis.benchmark.grounding.variants import with_label_noise as with_label_noise
from visavis.benchmark.grounding.variants import with_noise as with_noise
from visavis.benchmark.grounding.variants import with_shortcut as with_shortcut
