"""Activations on disk."""

from visavis.store.files import SUFFIXES as SUFFIXES
from visavis.store.files import load as load
