"""What a directory can hold besides files, and what can happen to a file between the walk and the read."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable

from schemas.reasons import Reason
from schemas.states import ItemState
from tests.hostile.cases import Case, passed_over
from tests.hostile.not_pictures import good_png
from tests.unit.imaging.pictures import encoded, film

OUTSIDE = b"outside"
"""Lies beside the archive: nothing in it may be opened."""
CANARY = b"canary.png"
"""A good film in OUTSIDE, which would be read if it were reached."""


def outside(path: bytes) -> bytes:
    """Return the directory beside the archive; a case lies directly in the archive or one directory below."""
    while not os.path.isdir(os.path.join(path, OUTSIDE)):
        path = os.path.dirname(path)
    return os.path.join(path, OUTSIDE)


def link_to_film(path: bytes) -> None:
    with open(path + b".target", "wb") as file:
        file.write(encoded(".png", film(seed=40)))
    os.symlink(path + b".target", path)


def link_out(path: bytes) -> None:
    os.symlink(os.path.join(outside(path), CANARY), path)


def link_out_relative(path: bytes) -> None:
    os.symlink(os.path.relpath(os.path.join(outside(path), CANARY), os.path.dirname(path)), path)


def link_to_directory(path: bytes) -> None:
    os.symlink(outside(path), path)


def link_to_itself(path: bytes) -> None:
    os.symlink(os.path.basename(path), path)


def link_upwards(path: bytes) -> None:
    os.symlink(b"..", path)


def link_to_nothing(path: bytes) -> None:
    os.symlink(b"nowhere", path)


def fifo(path: bytes) -> None:
    os.mkfifo(path)


def listening_socket(path: bytes) -> None:
    here, back = os.open(os.path.dirname(path), os.O_RDONLY), os.open(b".", os.O_RDONLY)
    try:
        os.fchdir(here)  # a socket's path may have 107 bytes at most
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.basename(path))
    finally:
        os.fchdir(back)
        os.close(here)
        os.close(back)


def device(path: bytes) -> None:
    """/dev/zero, where whoever runs this may make devices."""
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))


def locked_directory(path: bytes) -> None:
    os.mkdir(path)
    with open(os.path.join(path, b"film.png"), "wb") as file:
        file.write(good_png())
    os.chmod(path, 0)


def deep_directory(path: bytes) -> None:
    """One directory more in one another than are looked into."""
    os.mkdir(path)
    back = os.open(b".", os.O_RDONLY)
    try:
        os.chdir(path)
        for _ in range(256):
            os.mkdir(b"d")
            os.chdir(b"d")
    finally:
        os.fchdir(back)
        os.close(back)


def snapshot(path: bytes) -> None:
    os.makedirs(os.path.join(path, b".snapshot"))
    with open(os.path.join(path, b".snapshot", b"film.png"), "wb") as file:
        file.write(good_png())


def sparse(path: bytes) -> None:
    with open(path, "wb") as file:
        file.truncate(2**40)


def hard_link(path: bytes) -> None:
    with open(path, "wb") as file:
        file.write(encoded(".png", film(seed=41)))
    os.link(path, path + b".again")


def not_yet(path: bytes) -> None:
    """A file that is rejected at first, so that it can be tried again after something happened to it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"not yet a film: " + path)


def make_good(path: bytes) -> None:
    with open(path, "wb") as file:
        file.write(encoded(".png", film(seed=42)))


def lock(path: bytes) -> None:
    make_good(path)
    os.chmod(path, 0)


def lock_its_directory(path: bytes) -> None:
    os.chmod(os.path.dirname(path), 0)


def become_a_directory(path: bytes) -> None:
    os.unlink(path)
    os.mkdir(path)


def become_a_fifo(path: bytes) -> None:
    os.unlink(path)
    os.mkfifo(path)


def become_a_link_out(path: bytes) -> None:
    os.unlink(path)
    link_out(path)


def become_a_device(path: bytes) -> None:
    os.unlink(path)
    device(path)


def have_its_directory_linked_out(path: bytes) -> None:
    directory = os.path.dirname(path)
    shutil.rmtree(directory)
    os.symlink(outside(path), directory)


def happened(reason: Reason, what: str, later: Callable[[bytes], None]) -> Case:
    """Something that happens to a file between the walk and the read."""
    return Case(what, not_yet, ItemState.REJECTED, reason, later)


LINK, SPECIAL = "link", "special file"
CASES: dict[str, Case] = {
    "link": passed_over(LINK, "a link to a film of the archive", link_to_film),
    "link-out": passed_over(LINK, "a link to a film outside the root", link_out),
    "link-out-relative": passed_over(LINK, "the same with ../", link_out_relative),
    "link-directory": passed_over(LINK, "a link to a directory outside the root", link_to_directory),
    "link-loop": passed_over(LINK, "a link to itself", link_to_itself),
    "link-upwards": passed_over(LINK, "a link to the directory above", link_upwards),
    "link-nowhere": passed_over(LINK, "a link to nothing", link_to_nothing),
    "fifo.png": passed_over(SPECIAL, "a FIFO named .png", fifo),
    "socket.png": passed_over(SPECIAL, "a socket", listening_socket),
    "device.png": passed_over(SPECIAL, "a device of endless zeros", device),
    "locked": passed_over("unreadable directory", "a directory without permissions", locked_directory),
    "deep": passed_over("directory too deep", "257 directories in one another", deep_directory),
    "storage": passed_over("storage system's directory", "a storage system's older copies", snapshot),
    "sparse.png": Case("a sparse file of 1 TB", sparse, ItemState.REJECTED, Reason.TOO_LARGE),
    "hard.png": Case("a film with a second name, by hard link", hard_link, ItemState.DONE),
    "meanwhile/gone.png": happened(Reason.VANISHED, "a file that is deleted between the walk and the read", os.unlink),
    "meanwhile/mended.png": Case("a broken file that is mended meanwhile", not_yet, ItemState.DONE, "", make_good),
    "meanwhile/locked.png": happened(Reason.PERMISSION, "a file whose permissions are taken away", lock),
    "closed/film.png": happened(Reason.PERMISSION, "a film whose directory's are", lock_its_directory),
    "meanwhile/directory.png": happened(Reason.NOT_A_FILE, "a file that becomes a directory", become_a_directory),
    "meanwhile/fifo.png": happened(Reason.NOT_A_FILE, "a file that becomes a FIFO", become_a_fifo),
    "meanwhile/device.png": happened(Reason.NOT_A_FILE, "a file that becomes a device", become_a_device),
    "meanwhile/link.png": happened(Reason.NOT_A_FILE, "a file that becomes a link out of the root", become_a_link_out),
    "moved/canary.png": happened(
        Reason.NOT_A_FILE, "a film whose directory becomes a link to one outside", have_its_directory_linked_out
    ),
}  # fmt: skip
