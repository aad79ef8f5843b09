"""Sets the threads and kernels of NumPy's matrix products; must run before NumPy is imported."""

from __future__ import annotations

import os


def set_up_products() -> None:
    """Let products use every core, with the kernels that suit it; what the user has set stays."""
    from wetread.engine.blas import blas_environment

    for name, value in blas_environment(threads=len(os.sched_getaffinity(0))).items():
        os.environ.setdefault(name, value)
