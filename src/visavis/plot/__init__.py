"""Pictures of results: Axes in, Axes out; importing this package imports Matplotlib."""

from visavis.plot.confusions import confusion as confusion
from visavis.plot.confusions import confusions as confusions
from visavis.plot.heatmap import heatmap as heatmap
from visavis.plot.maps import embedding as embedding
from visavis.plot.panels import grid as grid
from visavis.plot.spaces import distances as distances
from visavis.plot.trees import dendrogram as dendrogram
