from __future__ import annotations

import os
import subprocess
import sys

from wetread.engine.blas import AVX512, blas_environment

ZEN5 = ["vendor_id\t: AuthenticAMD", "cpu family\t: 26", "flags\t\t: fpu sse2 avx2 fma " + " ".join(AVX512)]


def test_threads_are_set_for_every_blas_numpy_may_have() -> None:
    variables = blas_environment(3, cpu=[])
    assert variables == {"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3"}


def test_amd_with_avx512_gets_the_kernels_openblas_does_not_choose_itself() -> None:
    assert blas_environment(1, cpu=ZEN5)["OPENBLAS_CORETYPE"] == "SkylakeX"


def test_kernels_are_never_forced_on_a_processor_that_lacks_an_instruction_or_is_known_to_openblas() -> None:
    older = [ZEN5[0], ZEN5[1], "flags : fpu sse2 avx2 fma avx512f"]
    intel = ["vendor_id : GenuineIntel", ZEN5[2]]
    for cpu in (older, intel, ["nonsense"], []):
        assert "OPENBLAS_CORETYPE" not in blas_environment(1, cpu=cpu)


def test_what_is_set_for_this_machine_computes() -> None:
    script = "import numpy as np; A = np.ones((64, 64), np.float32); print((A @ A).sum())"
    environment = os.environ | blas_environment(1)
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(float(64**3))


def test_it_can_be_asked_before_numpy_is_there() -> None:
    script = "import sys, wetread.engine.blas; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
