"""Shared by all tests: one BLAS thread a worker."""

import os

# Workers run side by side; BLAS threads on top of them only get in each other's way. Set before
# NumPy is imported, which reads it once.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
