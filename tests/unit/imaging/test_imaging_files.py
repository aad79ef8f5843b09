"""Reading a file below a root: what is read, what is refused, and when the root itself is to blame."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.errors import Rejected, RootUnavailable
from schemas.reasons import Reason
from tests.unit.imaging.archives import CONTENT, inside, make_archive, rejected
from wetread.imaging import files
from wetread.imaging.files import FileBytes, check_root, read_file


def test_a_film_is_read_with_its_size_time_and_digest(root: bytes) -> None:
    status = os.stat(inside(root, b"ward/film.png"))
    film = read_file(root, b"ward/film.png")
    assert film.data == CONTENT
    assert (film.size, film.mtime_ns) == (len(CONTENT), status.st_mtime_ns)
    assert film.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_bytes_do_not_show_in_a_log(root: bytes) -> None:
    assert "film" not in repr(read_file(root, b"ward/film.png"))


@pytest.mark.parametrize(
    "name", [b"\xff\xfe not utf-8.png", b"new\nline", b" ", b"-rf", b"a" * 255, "Röntgen".encode()]
)
def test_any_name_that_the_file_system_takes_is_read(root: bytes, name: bytes) -> None:
    with open(inside(root, name), "wb") as file:
        file.write(CONTENT)
    assert read_file(root, name).data == CONTENT


def test_an_empty_file_is_read(root: bytes) -> None:
    open(inside(root, b"empty"), "wb").close()
    assert read_file(root, b"empty").data == b""


@pytest.mark.parametrize(
    "relative",
    [b"", b".", b"..", b"/etc/passwd", b"../secret", b"ward/../../secret", b"ward//film.png", b"ward/",
     b"./ward/film.png", b"ward/film.png\0", b"\0"],
)  # fmt: skip
def test_a_path_that_is_not_plainly_below_the_root_is_refused(root: bytes, relative: bytes) -> None:
    assert rejected(root, relative) is Reason.NOT_A_FILE


def link_to_secret(root: bytes) -> None:
    os.symlink(b"../secret", inside(root, b"strange"))


def link_to_film(root: bytes) -> None:
    os.symlink(b"ward/film.png", inside(root, b"strange"))


def link_to_itself(root: bytes) -> None:
    os.symlink(b"strange", inside(root, b"strange"))


def fifo(root: bytes) -> None:
    os.mkfifo(inside(root, b"strange"))


def directory(root: bytes) -> None:
    os.mkdir(inside(root, b"strange"))


def listening_socket(root: bytes) -> None:
    here = os.open(root, os.O_RDONLY)
    back = os.open(b".", os.O_RDONLY)
    try:
        os.fchdir(here)  # a socket's path may have 107 bytes at most
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("strange")
    finally:
        os.fchdir(back)
        os.close(here)
        os.close(back)


@pytest.mark.parametrize("make", [link_to_secret, link_to_film, link_to_itself, fifo, directory, listening_socket])
@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_refused_at_once(root: bytes, make: Callable[[bytes], None]) -> None:
    make(root)
    assert rejected(root, b"strange") is Reason.NOT_A_FILE


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [link_to_secret, fifo, listening_socket])
def test_what_takes_a_film_s_place_between_look_and_open_is_refused_at_once(
    root: bytes, make: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look finds a regular file; by the time of the open it is something else."""
    film = os.stat(inside(root, b"ward/film.png"))
    make(root)
    monkeypatch.setattr(files.os, "stat", lambda *_, **__: film)
    assert rejected(root, b"strange") is Reason.NOT_A_FILE


@pytest.mark.timeout(20)
def test_a_file_that_holds_more_than_its_size_says_is_not_trusted() -> None:
    """Files of /proc are regular and of size 0 whatever they hold."""
    assert rejected(b"/proc/self", b"status") is Reason.CHANGED


def test_devices_are_refused() -> None:
    for device in (b"null", b"zero", b"random"):
        assert rejected(b"/dev", device) is Reason.NOT_A_FILE


def test_a_linked_folder_on_the_way_is_not_followed(root: bytes) -> None:
    os.symlink(b"ward", inside(root, b"shortcut"))
    os.symlink(b"..", inside(root, b"out"))
    assert rejected(root, b"shortcut/film.png") is Reason.NOT_A_FILE
    assert rejected(root, b"out/secret") is Reason.NOT_A_FILE


def test_a_root_that_is_a_link_is_followed(root: bytes, tmp_path: Path) -> None:
    os.symlink(root, tmp_path / "link")
    assert read_file(os.fsencode(tmp_path / "link"), b"ward/film.png").data == CONTENT


def test_a_file_on_the_way_is_no_folder(root: bytes) -> None:
    assert rejected(root, b"ward/film.png/film.png") is Reason.NOT_A_FILE


def test_a_missing_film_has_vanished(root: bytes) -> None:
    assert rejected(root, b"ward/other.png") is Reason.VANISHED
    assert rejected(root, b"other/film.png") is Reason.VANISHED


def test_a_film_above_the_limit_is_not_read(root: bytes) -> None:
    assert read_file(root, b"ward/film.png", byte_limit=len(CONTENT)).size == len(CONTENT)
    assert rejected(root, b"ward/film.png", byte_limit=len(CONTENT) - 1) is Reason.TOO_LARGE


def test_a_sparse_terabyte_is_refused_by_its_size(root: bytes) -> None:
    with open(inside(root, b"sparse"), "wb") as file:
        file.truncate(2**40)
    assert rejected(root, b"sparse") is Reason.TOO_LARGE


@pytest.fixture
def denied() -> Iterator[Callable[[bytes], FileBytes]]:
    """Make an archive, take all permissions from one path in it, and read its film as somebody who is not root."""
    with tempfile.TemporaryDirectory() as folder:
        archive = make_archive(Path(folder))
        os.chmod(folder, 0o711)  # noqa: S103 - somebody who is not root must get through to the archive

        def read_without(path: bytes) -> FileBytes:
            mode = os.stat(os.path.join(archive, path)).st_mode
            os.chmod(os.path.join(archive, path), 0)
            root_runs_this = os.geteuid() == 0
            if root_runs_this:
                os.seteuid(65534)
            try:
                return read_file(archive, b"ward/film.png")
            finally:
                if root_runs_this:
                    os.seteuid(0)
                os.chmod(os.path.join(archive, path), mode)

        yield read_without


@pytest.mark.parametrize("path", [b"ward/film.png", b"ward"])
def test_a_film_without_permission_is_that_film_s_trouble(denied: Callable[[bytes], FileBytes], path: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        denied(path)
    assert caught.value.reason is Reason.PERMISSION


def test_a_root_without_permission_is_the_root_s_trouble(denied: Callable[[bytes], FileBytes]) -> None:
    with pytest.raises(RootUnavailable):
        denied(b"")


def test_a_root_that_is_gone_blames_no_film(root: bytes) -> None:
    shutil.rmtree(root)
    with pytest.raises(RootUnavailable, match="readable directory"):
        read_file(root, b"ward/film.png")


def test_an_empty_root_looks_like_one_whose_mount_is_gone(root: bytes) -> None:
    shutil.rmtree(inside(root, b"ward"))
    with pytest.raises(RootUnavailable, match="empty"):
        read_file(root, b"ward/film.png")
    check_root(root)


def test_a_root_that_is_a_file_is_unavailable(root: bytes) -> None:
    with pytest.raises(RootUnavailable):
        read_file(inside(root, b"ward/film.png"), b"film.png")


def test_a_root_that_goes_during_the_read_blames_no_film(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network file system fails in the middle; the root fails with it."""

    def stale(*_: object) -> bytes:
        shutil.rmtree(root)
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(files.os, "read", stale)
    with pytest.raises(RootUnavailable):
        read_file(root, b"ward/film.png")


def test_a_read_that_fails_alone_is_an_error_of_that_film(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files.os, "read", broken)
    assert rejected(root, b"ward/film.png") is Reason.IO_ERROR


def test_short_reads_are_put_together(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.read
    monkeypatch.setattr(files.os, "read", lambda descriptor, count: read(descriptor, min(count, 7)))
    assert read_file(root, b"ward/film.png").data == CONTENT


def test_no_descriptor_is_left_open(root: bytes) -> None:
    os.symlink(b"nowhere", inside(root, b"link"))
    before = len(os.listdir("/proc/self/fd"))
    for relative in (b"ward/film.png", b"ward/none", b"none/film.png", b"link", b"ward", b"ward/film.png/x", b".."):
        for _ in range(5):
            try:
                read_file(root, relative)
            except Rejected:
                continue
    assert len(os.listdir("/proc/self/fd")) == before
