"""Shared by all tests: one BLAS thread a worker, no network, and what Keras stands on."""

import os

# Workers run side by side; BLAS threads on top of them only get in each other's way. Set before
# NumPy is imported, which reads it once.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Keras asks once which library it stands on, and its own answer is not installed here.
os.environ.setdefault("KERAS_BACKEND", "jax")
# No test asks a model hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
