"""Files that are no films, or no longer: each is rejected with its reason, and nothing else is ever raised."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import chunk, encoded, film, jpeg_segment, png, ramp, tiff, with_segment
from wetread.imaging.decode import ASPECT_LIMIT, LEAST_SIDE, decode, read_header
from wetread.imaging.opencv import PIXELS_LIMIT, cv2

FILM = film()
COLOUR = np.stack([film(seed=seed) for seed in range(3)], axis=-1)
PNG, TIFF = encoded(".png", FILM), tiff(FILM)
LZW = encoded(".tif", FILM)
JPEG = encoded(".jpg", COLOUR)
PROGRESSIVE = encoded(".jpg", COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTING = encoded(".jpg", FILM, cv2.IMWRITE_JPEG_RST_INTERVAL, 8)
END = b"\xff\xd9"


def rejected(data: bytes) -> Reason:
    with pytest.raises(Rejected) as caught:
        decode(data)
    assert caught.value.detail
    return caught.value.reason


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0" * 4096,
        b"not an image, whatever its name says\n",
        b"%PDF-1.7\n",
        b"GIF89a" + bytes(100),
        b"BM" + bytes(100),
        b"RIFF\x10\0\0\0WEBPVP8 " + bytes(64),
        bytes(128) + b"DICM" + bytes(64),
        b"<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>",
        b"\x93NUMPY\x01\0",
        b"\x80\x04cposix\nsystem\n.",
        gzip.compress(PNG),
        zipped("film.png", PNG),
        tarred("film.png", PNG),
    ],
)
def test_what_is_no_picture_is_undecodable(data: bytes) -> None:
    assert rejected(data) is Reason.UNDECODABLE


def test_another_format_is_named() -> None:
    with pytest.raises(Rejected, match="expected PNG, JPEG, TIFF or DICOM, found GIF"):
        decode(b"GIF89a" + bytes(200))


@pytest.mark.parametrize("whole", [JPEG, PROGRESSIVE, RESTARTING], ids=["baseline", "progressive", "restarts"])
def test_a_jpeg_cut_short_is_never_a_picture(whole: bytes) -> None:
    cuts = {len(whole) * percent // 100 for percent in range(1, 100)} | {len(whole) - 1, len(whole) - 2}
    found = {rejected(whole[:cut]) for cut in cuts}
    assert found <= {Reason.TRUNCATED, Reason.UNDECODABLE}
    assert rejected(whole[:-2]) is Reason.TRUNCATED


@pytest.mark.parametrize("whole", [JPEG, RESTARTING], ids=["baseline", "restarts"])
def test_a_jpeg_cut_short_and_closed_again_is_never_a_picture(whole: bytes) -> None:
    """A tool that repairs half a download adds an end marker; libjpeg then fills the rest with grey."""
    start = whole.index(b"\xff\xda") + 20
    for cut in range(start, len(whole) - 200, (len(whole) - start) // 20):
        assert rejected(whole[:cut].rstrip(b"\xff") + END) in {Reason.TRUNCATED, Reason.UNDECODABLE}


def test_a_jpeg_padded_with_zeros_is_truncated() -> None:
    assert rejected(JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2)) is Reason.TRUNCATED


def test_the_end_marker_of_a_thumbnail_does_not_count() -> None:
    thumbnail = encoded(".jpg", FILM[:64, :64])
    whole = with_segment(JPEG, jpeg_segment(0xE1, b"Exif\0\0" + thumbnail))
    assert decode(whole).pixels.shape == FILM.shape
    assert rejected(whole[: len(whole) // 2]) is Reason.TRUNCATED


@pytest.mark.parametrize(
    "trailing", [b"\n", bytes(4096), END, b"skitch" * 50, JPEG], ids=["newline", "zeros", "end", "text", "jpeg"]
)
def test_bytes_after_the_end_of_a_jpeg_are_allowed(trailing: bytes) -> None:
    np.testing.assert_array_equal(decode(JPEG + trailing).pixels, decode(JPEG).pixels)


@pytest.mark.parametrize(
    "data",
    [PNG, encoded(".png", FILM.astype(np.uint16) * 257), png(FILM, 8, 0), TIFF, LZW, tiff(COLOUR, 2, order=">")],
    ids=["png", "png16", "png one chunk", "tiff", "tiff lzw", "tiff be"],
)
def test_lossless_files_cut_short_are_never_a_picture(data: bytes) -> None:
    found = {rejected(data[: len(data) * percent // 100]) for percent in range(100)}
    assert found <= {Reason.UNDECODABLE, Reason.TRUNCATED}


def test_a_png_cut_short_is_undecodable() -> None:
    assert rejected(PNG[: len(PNG) // 2]) is Reason.UNDECODABLE
    assert rejected(PNG[:-12]) is Reason.UNDECODABLE


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_png_with_a_changed_byte_is_undecodable(place: float) -> None:
    data = bytearray(PNG)
    data[int(len(data) * place)] ^= 0x10
    assert rejected(bytes(data)) is Reason.UNDECODABLE


def bomb_png(side: int, bits: int = 8) -> bytes:
    return png(np.zeros((1, 1), np.uint8), bits, 0, size=(side, side))


def bomb_jpeg(side: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", side, side) + JPEG[at + 4 :]


@pytest.mark.parametrize(
    "data",
    [
        bomb_png(20_000),
        bomb_png(2**31 - 1),
        bomb_png(8193),
        bomb_jpeg(65_535),
        bomb_jpeg(20_000),
        tiff(FILM, change=lambda entries: entries.update({256: (4, (20_000,)), 257: (4, (20_000,))})),
        tiff(FILM, change=lambda entries: entries.update({256: (4, (2**32 - 1,)), 257: (4, (2**32 - 1,))})),
    ],
    ids=["png", "png most", "png just above", "jpeg most", "jpeg", "tiff", "tiff most"],
)
def test_a_picture_that_claims_too_many_pixels_costs_no_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        assert rejected(data) is Reason.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_the_pixel_cap_is_opencv_s_own_too() -> None:
    """Should a header pass ours and say something else to OpenCV, OpenCV refuses it by itself."""
    side = int(PIXELS_LIMIT**0.5) + 1
    with pytest.raises(cv2.error, match="CV_IO_MAX_IMAGE_PIXELS"):
        cv2.imdecode(np.frombuffer(bomb_png(side), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (1, 512), (512, 1), (LEAST_SIDE - 1, 100), (100, LEAST_SIDE - 1), (100, int(100 * ASPECT_LIMIT) + 1)],
)
@pytest.mark.parametrize("extension", [".png", ".jpg", ".tif"])
def test_what_is_too_small_or_too_long_is_rejected(extension: str, height: int, width: int) -> None:
    assert rejected(encoded(extension, film(height, width))) is Reason.TOO_SMALL


def test_the_smallest_film_is_read() -> None:
    assert decode(encoded(".png", ramp(LEAST_SIDE, LEAST_SIDE))).pixels.shape == (LEAST_SIDE, LEAST_SIDE)


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (100, 0)])
def test_a_png_without_area_is_rejected(size: tuple[int, int]) -> None:
    assert rejected(png(FILM, 8, 0, size=size)) in {Reason.TOO_SMALL, Reason.UNDECODABLE}


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("extension", [".png", ".jpg", ".tif"])
def test_a_film_of_one_value_is_flat(extension: str, value: int) -> None:
    assert rejected(encoded(extension, np.full((100, 120), value, np.uint8))) is Reason.FLAT


def test_a_film_that_is_all_transparent_is_flat() -> None:
    assert rejected(png(np.stack([FILM, FILM * 0], axis=-1), 8, 4)) is Reason.FLAT


def test_a_chunk_that_claims_gigabytes_is_refused_before_libpng_reserves_them() -> None:
    for kind in (b"IDAT", b"IEND"):
        at = PNG.index(kind) - 4
        for length in (0x7FFFFFFF, 0xFEFFFE06, len(PNG)):
            with pytest.raises(Rejected, match="undecodable"):
                read_header(PNG[:at] + struct.pack(">I", length) + PNG[at + 4 :])


def test_what_comes_after_a_png_s_end_is_not_read() -> None:
    """OpenCV looks there for the pixels of an animation of one frame, and reserves what a chunk there claims."""
    animation, claim = chunk(b"acTL", struct.pack(">II", 1, 0)), struct.pack(">I", 0x7FFFFF00) + b"IDAT" + bytes(4096)
    film_and_claim = png(FILM, 8, 0, animation) + claim
    np.testing.assert_array_equal(decode(film_and_claim).pixels, FILM)
    without_pixels = png(FILM, 8, 0, animation)
    at, end = without_pixels.index(b"IDAT") - 4, without_pixels.index(b"IEND") - 4
    with pytest.raises(Rejected, match="without pixels before its end"):
        read_header(without_pixels[:at] + without_pixels[end:] + claim)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    start = PROGRESSIVE.index(b"\xff\xda")
    end = PROGRESSIVE.index(b"\xff\xda", start + 2)
    assert rejected(PROGRESSIVE[:end] + PROGRESSIVE[start:end] * 200 + PROGRESSIVE[end:]) is Reason.UNDECODABLE


def test_an_animated_png_is_rejected() -> None:
    still, moving = (chunk(b"acTL", struct.pack(">II", frames, 0)) for frames in (1, 2))
    assert decode(png(FILM, 8, 0, still)).pixels.shape == FILM.shape
    assert rejected(png(FILM, 8, 0, moving)) is Reason.MULTI_FRAME


def test_what_opencv_throws_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise cv2.error("out of its depth")

    monkeypatch.setattr(cv2, "imdecode", fail)
    assert rejected(PNG) is Reason.UNDECODABLE


def test_a_machine_without_memory_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoMemory(cv2.error):
        code = cv2.Error.StsNoMem

    def fail(*_: object) -> None:
        raise NoMemory

    monkeypatch.setattr(cv2, "imdecode", fail)
    with pytest.raises(MemoryError):
        decode(PNG)


def test_pixels_that_are_not_as_the_header_says_are_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: FILM[:-1])
    assert rejected(PNG) is Reason.UNDECODABLE


def test_a_jpeg_of_twelve_bits_or_without_loss_is_undecodable() -> None:
    at = JPEG.index(b"\xff\xc0")
    assert rejected(JPEG[: at + 4] + b"\x0c" + JPEG[at + 5 :]) is Reason.UNDECODABLE
    assert rejected(JPEG[: at + 1] + b"\xc3" + JPEG[at + 2 :]) is Reason.UNDECODABLE


def test_no_codec_prints_what_it_thinks(capfd: pytest.CaptureFixture[str]) -> None:
    bad_png = bytearray(PNG)
    bad_png[len(PNG) // 2] ^= 0xFF
    middle = len(JPEG) // 2
    for data in (
        bytes(bad_png),
        PNG[:-40],
        JPEG[:middle] + END,
        JPEG[:middle] + JPEG[middle + 9 :],
        TIFF[:200],
        LZW[:-30],
        LZW[:8] + bytes(range(256)) * 10 + LZW[8 + 2560 :],
    ):
        try:
            decode(data)
        except Rejected:
            continue
    assert capfd.readouterr() == ("", "")
