"""Activations on disk."""

from visavis.store.files import load as load
from visavis.store.manifest import NAME as MANIFEST
from visavis.store.names import told_apart as told_apart
from visavis.store.readers import SUFFIXES as SUFFIXES
from visavis.store.stored import load as open_store
from visavis.store.stored import part as open_part
from visavis.store.writer import Journal as Journal
from visavis.store.writer import Writer as Writer

__all__ = [
    "MANIFEST",
    "SUFFIXES",
    "Journal",
    "Writer",
    "load",
    "open_part",
    "open_store",
    "told_apart",
]
