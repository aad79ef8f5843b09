"""pydicom's own test files: read as pydicom reads them, or refused by reason, as docs/dicom.md says of each."""

from __future__ import annotations

from tests.unit.imaging.pydicom_files import BEGIN, END, PAGE, table


def test_the_table_in_the_docs_is_what_becomes_of_pydicom_s_files() -> None:
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    found = table()
    assert written == found, "python -m tests.unit.imaging.pydicom_files writes the table anew"
    assert found.count(": equal |") >= 5
    assert "apart" not in found
    assert "another shape" not in found
