"""Pictures of results: Axes in, Axes out; importing this package imports Matplotlib."""

from visavis.plot.heatmap import heatmap as heatmap
from visavis.plot.panels import grid as grid
