"""Many against many: compare all layers of two sets of activations."""

from visavis.pairs.compare import compare as compare
