"""Files that are no pictures, whatever their names say."""

from __future__ import annotations

import base64
import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np

from schemas.reasons import Reason
from tests.hostile.cases import Case, refused
from tests.unit.imaging.pictures import encoded, film


def good_png() -> bytes:
    return encoded(".png", film())


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("film.png", good_png())
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("film.png")
        entry.size = len(good_png())
        archive.addfile(entry, io.BytesIO(good_png()))
    return file.getvalue()


class TouchesWhenLoaded:
    """Pickled, it makes a file where it is loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return open, ("loaded-by-pickle", "w")


def pickled() -> bytes:
    return pickle.dumps(TouchesWhenLoaded())


def pickled_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([TouchesWhenLoaded()], dtype=object), allow_pickle=True)
    return file.getvalue()


def script() -> bytes:
    return b"#!/bin/sh\ntouch loaded-by-shell\n"


def web_page() -> bytes:
    return b"<!DOCTYPE html><html><body>Sign in to download this image</body></html>\n"


def vector_graphic() -> bytes:
    entity = b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return b'<?xml version="1.0"?>' + entity + b"<svg xmlns='http://www.w3.org/2000/svg'><text>&x;</text></svg>"


def webp() -> bytes:
    return encoded(".webp", film())


def jpeg_2000() -> bytes:
    return encoded(".jp2", film())


def bitmap() -> bytes:
    return encoded(".bmp", film())


UNDECODABLE = Reason.UNDECODABLE
CASES: dict[str, Case] = {
    "empty.png": refused(UNDECODABLE, "an empty file", lambda: b""),
    "nul.png": refused(UNDECODABLE, "one zero byte", lambda: b"\0"),
    "zeros.jpg": refused(UNDECODABLE, "zero bytes only", lambda: bytes(4096)),
    "notes.png": refused(UNDECODABLE, "text named .png", lambda: b"not an image, whatever its name says\n"),
    "login.jpg": refused(UNDECODABLE, "a web page named .jpg", web_page),
    "drawing.svg": refused(UNDECODABLE, "SVG that names a file outside", vector_graphic),
    "letter.pdf": refused(UNDECODABLE, "PDF", lambda: b"%PDF-1.7\n%%EOF\n"),
    "moving.gif": refused(UNDECODABLE, "GIF", lambda: b"GIF89a" + bytes(100)),
    "film.bmp": refused(UNDECODABLE, "a film as BMP", bitmap),
    "film.webp": refused(UNDECODABLE, "a film as WebP", webp),
    "film.jp2": refused(UNDECODABLE, "a film as JPEG 2000 outside DICOM", jpeg_2000),
    "film.png.zip": refused(UNDECODABLE, "a film in a zip", zipped),
    "film.png.tar": refused(UNDECODABLE, "a film in a tar", tarred),
    "film.png.gz": refused(UNDECODABLE, "a film in a gzip", lambda: gzip.compress(good_png())),
    "film.txt": refused(UNDECODABLE, "a film in base64", lambda: base64.b64encode(good_png())),
    "model.pkl": refused(UNDECODABLE, "a pickle that writes a file when loaded", pickled),
    "array.npy": refused(UNDECODABLE, "a NumPy array that is such a pickle", pickled_array),
    "script.png": refused(UNDECODABLE, "a shell script", script),
}
