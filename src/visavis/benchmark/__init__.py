"""Does a measure tell layers apart? The paper's layer-correspondence test, and what it runs on.

`visavis.benchmark.tiny10` trains the networks; it imports PyTorch and is therefore not loaded here.
"""

from visavis.benchmark import fashion as fashion
from visavis.benchmark import grounding as grounding
from visavis.benchmark.correspondence import Correspondence as Correspondence
from visavis.benchmark.correspondence import table_correspondence as table_correspondence
from visavis.benchmark.nearest import LayerMap as LayerMap
from visavis.benchmark.nearest import NearestLayers as NearestLayers
from visavis.benchmark.nearest import nearest_layers as nearest_layers
from visavis.benchmark.outcome import LayerCorrespondence as LayerCorrespondence
from visavis.benchmark.paper import DEBIASED as DEBIASED
from visavis.benchmark.paper import MEASURES as MEASURES
from visavis.benchmark.paper import PAPER_TABLE_2 as PAPER_TABLE_2
from visavis.benchmark.paper import TABLE_2 as TABLE_2
from visavis.benchmark.protocol import layer_correspondence as layer_correspondence
