"""Names that a file system takes: each is that of a good film."""

from __future__ import annotations

import os
from functools import partial

from tests.hostile.cases import Case, read
from tests.unit.imaging.pictures import encoded, film

_NAMES: dict[bytes, str] = {
    b"new\nline\r.png": "with a newline",
    b"\x1b[31mred\x1b[0m\x1b]0;title\x07.png": "with ANSI escapes",
    "abc\u202egnp.exe".encode(): "with a mark that turns the direction of writing",
    "line\u2028separator\u0085.png".encode(): "with separators of lines of Unicode",
    b"caf\xe9.png": "that is not UTF-8",
    b"\xed\xb3\xa9\xff\xfe.png": "with a lone surrogate's bytes",
    "Ro\u0308ntgen.png".encode(): "with an accent of its own",
    "R\u00f6ntgen.png".encode(): "the same, composed",
    b"=cmd|' /C calc'!A0": "that is a formula",
    b"-rf": "that is an option",
    b" ": "of one space",
    b"...": "of three dots",
    b"a' OR '1'='1.png": "with SQL in it",
    b"$(touch loaded-by-shell).png": "with a shell's command in it",
    b"%41%00.png": "with percent signs",
    b"a" * 255: "of 255 bytes",
}

CASES: dict[str, Case] = {
    os.fsdecode(name): read(f"a film with a name {what}", partial(encoded, ".png", film(seed=100 + number)))
    for number, (name, what) in enumerate(_NAMES.items())
}
