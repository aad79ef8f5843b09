"""Environment variables of NumPy's BLAS, which it reads only while NumPy is imported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

AVX512 = frozenset({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"})
"""The instructions that OpenBLAS's SkylakeX kernels use, as /proc/cpuinfo names them."""


def blas_environment(threads: int, cpu: Iterable[str] | None = None) -> dict[str, str]:
    """Return environment variables for a process, or for processes it will start, that will import NumPy.

    threads: for one matrix product. Where several processes share a machine, each should have one.
    cpu: lines as in /proc/cpuinfo, which is read when None.

    OpenBLAS has kernels for many processors and chooses when it is loaded. The one in NumPy 2.4 (OpenBLAS
    0.3.31) does not know AMD's processors with AVX-512 as such and takes its AVX2 kernels there: on a Zen 5
    that halves the speed of every product. For these processors the right kernels are named; on all others
    the choice is left to OpenBLAS.
    """
    variables = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    if _is_amd_with_avx512(_cpuinfo() if cpu is None else cpu):
        variables["OPENBLAS_CORETYPE"] = "SkylakeX"
    return variables


def _is_amd_with_avx512(cpu: Iterable[str]) -> bool:
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in cpu)}
    return fields.get("vendor_id") == "AuthenticAMD" and set(fields.get("flags", "").split()) >= AVX512


def _cpuinfo() -> list[str]:
    """Return what Linux says of the first processor; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return []
