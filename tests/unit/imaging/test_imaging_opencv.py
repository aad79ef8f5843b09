"""OpenCV's pixel cap holds only if nobody imports cv2 before it is set."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from wetread.imaging.opencv import PIXELS_LIMIT

ROOT = Path(__file__).parents[3]


def test_one_module_alone_imports_cv2() -> None:
    importers = set()
    for package in (
        "cli",
        "gateway",
        "screening",
        "producer",
        "worker",
        "trainer",
        "wetread",
        "schemas",
        "benchmarks",
        "tests",
    ):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name.partition(".")[0] == "cv2" for name in names):
                    importers.add(str(path.relative_to(ROOT)))
    assert importers == {"wetread/imaging/opencv.py"}


def test_the_imaging_package_loads_no_cv2_by_itself() -> None:
    script = "import sys, wetread.imaging, wetread.imaging.files, wetread.imaging.header; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_the_cap_outdoes_one_in_the_environment() -> None:
    script = "import wetread.imaging.opencv, os; print(os.environ['OPENCV_IO_MAX_IMAGE_PIXELS'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"OPENCV_IO_MAX_IMAGE_PIXELS": "1000000000000"},
    )
    assert int(done.stdout) == PIXELS_LIMIT
