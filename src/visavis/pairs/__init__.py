"""Many against many: all layers of models, compared at once."""

from visavis.pairs.compare import compare as compare
from visavis.pairs.compare import plan as plan
from visavis.pairs.plan import Plan as Plan
from visavis.pairs.time import over_time as over_time
