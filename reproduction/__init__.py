"""The experiments of Kornblith et al. (2019) at laptop scale: ``python -m reproduction``."""
