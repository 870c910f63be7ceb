"""Sufficient statistics as values, and the measures that are functions of them."""

from visavis.stats.axes import Axes as Axes
from visavis.stats.axes import Overlap as Overlap
from visavis.stats.features import Features as Features
from visavis.stats.gram import Gram as Gram
from visavis.stats.gram import crossed as crossed
from visavis.stats.minibatch import Minibatches as Minibatches
from visavis.stats.moments import Moments as Moments
from visavis.stats.neighbours import Neighbours as Neighbours
from visavis.stats.neighbours import Shared as Shared
from visavis.stats.ranks import Ranks as Ranks
from visavis.stats.sums import Sums as Sums
from visavis.stats.sums import summed as summed
from visavis.stats.tiles import Swept as Swept
from visavis.stats.tiles import Tiles as Tiles
from visavis.stats.tiles import add_tiles as add_tiles
from visavis.stats.tiles import fit as fit
from visavis.stats.tiles import tile_rows as tile_rows
from visavis.stats.units import Paired as Paired
from visavis.stats.units import Units as Units
