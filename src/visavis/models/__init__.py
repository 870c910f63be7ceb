"""Models to representations: which layers a model has, and what they give on a set of samples."""

from visavis.models.data import Images as Images
from visavis.models.data import Texts as Texts
from visavis.models.data import images as images
from visavis.models.data import texts as texts
from visavis.models.extraction import extract as extract
from visavis.models.factory import from_factory as from_factory
from visavis.models.listing import Layer as Layer
from visavis.models.listing import layers as layers
from visavis.models.streaming import stream as stream
