"""What becomes of the test files that are installed with pydicom, as the table of docs/dicom.md has it.

python -m tests.unit.imaging.pydicom_files        writes the table between its marks
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data

from schemas.errors import Rejected
from wetread.imaging.decode import decode
from wetread.imaging.dicom.file import is_dicom, read_data_set
from wetread.imaging.dicom.film import dicom_samples
from wetread.imaging.dicom.header import ALLOWED, parsed, picture_header

PAGE = Path(__file__).parents[3] / "docs" / "dicom.md"
BEGIN, END = "<!-- pydicom's files -->\n", "<!-- /pydicom's files -->\n"
INSTALLED = Path(pydicom.data.__file__).parent
FOLDERS = ("charset_files", "palettes", "test_files")
LISTED_AT_MOST = 6
"""Files of one folder and one fate that are named; more are counted."""


def files() -> Iterator[Path]:
    """Yield pydicom's files, those that it would have to fetch left out."""
    for folder in FOLDERS:
        yield from sorted(path for path in (INSTALLED / folder).rglob("*") if path.is_file())


def screened(data: bytes) -> str:
    """Say whether the file is read, or the reason why not."""
    try:
        decode(data)
    except Rejected as fault:
        return f"`{fault.reason}`"
    return "read"


def compared(path: Path) -> str:
    """Say how the stored values compare with pydicom's, whatever the modality, view, body part and size."""
    data = path.read_bytes()
    if not is_dicom(data):
        return "no DICOM"
    try:
        data_set = read_data_set(data, ALLOWED)
        header = picture_header(data_set, parsed(data_set))
        if header.frames > 1:
            return "`multi_frame`"
        ours = dicom_samples(header)
    except Rejected as fault:
        return f"`{fault.reason}`"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = pydicom.dcmread(path, force=True).pixel_array
        except Exception as error:  # noqa: BLE001 - pydicom raises many kinds
            why = "has no decoder here" if "12-bit" in str(error) else f"fails: {type(error).__name__}"
            return f"grey: pydicom {why}"
    kind = "grey" if ours.ndim == 2 else "colour"
    if ours.shape != theirs.shape:
        return f"{kind}: another shape"
    apart = int(np.abs(ours.astype(np.int64) - theirs.astype(np.int64)).max())
    return f"{kind}: equal" if apart == 0 else f"{kind}: up to {apart} apart"


def table() -> str:
    """Return the table, without its marks."""
    fates: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in files():
        fates[screened(path.read_bytes()), compared(path)].append(path.relative_to(INSTALLED))
    head = "| screened | stored values beside pydicom's | | files |\n|---|---|---|---|\n"
    return f"pydicom {pydicom.__version__}:\n\n{head}" + "".join(
        f"| {fate} | {values} | {len(paths)} | {_named(paths)} |\n" for (fate, values), paths in sorted(fates.items())
    )


def _named(paths: list[Path]) -> str:
    """Return the files' names; those of a folder with many of one fate are counted."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        folders[Path(*path.parts[: min(3, len(path.parts) - 1)])].append(path)
    parts: list[str] = []
    for folder, inside in folders.items():
        if len(inside) <= LISTED_AT_MOST or folder == Path("test_files"):
            parts += [path.as_posix() for path in inside]
        else:
            parts.append(f"{folder.as_posix()}/… ({len(inside)})")
    return ", ".join(part.removeprefix("test_files/") for part in parts)


if __name__ == "__main__":
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}")
