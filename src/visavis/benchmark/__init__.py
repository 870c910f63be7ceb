"""Does a measure tell layers apart? The paper's layer-correspondence test, and what it runs on.

`visavis.benchmark.tiny10` trains the networks; it imports PyTorch and is therefore not loaded here.
"""

from visavis.benchmark import fashion as fashion
from visavis.benchmark.correspondence import PAPER_TABLE_2 as PAPER_TABLE_2
from visavis.benchmark.correspondence import Correspondence as Correspondence
from visavis.benchmark.correspondence import layer_correspondence as layer_correspondence
