"""The tables of docs/dicom.md say what is so."""

from __future__ import annotations

import pytest

from tests.unit.imaging.dicom_tables import PAGE, TABLES, written


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_table_in_the_docs_is_what_is_found(name: str) -> None:
    found = TABLES[name]()
    assert written(PAGE.read_text(), name) == found, "python -m tests.unit.imaging.dicom_tables writes it anew"
    assert "Doe" not in found
    if name == "oracles":
        assert all(line.split(" | ")[2] == "equal" for line in found.splitlines()[2:])
