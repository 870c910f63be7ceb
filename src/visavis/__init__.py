"""visavis: how alike two neural representations are, how sure you can be of it, and why."""

from visavis import kernels as kernels
from visavis.measures import Measure as Measure
from visavis.measures import canonical_ridge as canonical_ridge
from visavis.measures import cca as cca
from visavis.measures import cka as cka
from visavis.measures import hsic as hsic
from visavis.measures import linear_regression as linear_regression
from visavis.measures import procrustes as procrustes
from visavis.measures import pwcca as pwcca
from visavis.measures import registry as registry
from visavis.measures import svcca as svcca
from visavis.stats import Moments as Moments

__version__ = "0.1.0.dev0"
