"""Benchmarks: `python -m bench`."""

import os

# one thread each, before NumPy is imported: what else runs on the machine then disturbs the least
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
