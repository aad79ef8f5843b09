"""The table of mounts says which other names a directory has; device and inode say whether it is so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wetread.store.images.mounts import Mount, below, is_same_directory, mount_table, other_names

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 8:1 / /archive rw - xfs /dev/sdb rw
41 27 8:1 /2024 /mnt/this\040year rw - xfs /dev/sdb rw
42 27 8:1 /2024/03 /mnt/march rw - xfs /dev/sdb rw
43 27 0:50 / /nas rw - nfs4 server:/films rw
44 27 0:50 / /mnt/nas rw - nfs4 server:/films rw
45 27 254:0 /srv/films /films rw - ext4 /dev/vda rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> list[Mount]:
    file = tmp_path / "mountinfo"
    file.write_bytes(TABLE)
    return mount_table(str(file))


@pytest.mark.parametrize(
    ("path", "others"),
    [
        (b"/archive", []),
        (b"/archive/2023", []),
        (b"/archive/2024", [b"/mnt/this year"]),
        (b"/archive/2024/03/a", [b"/mnt/this year/03/a", b"/mnt/march/a"]),
        (b"/mnt/march", [b"/archive/2024/03", b"/mnt/this year/03"]),
        (b"/mnt/this year", [b"/archive/2024"]),
        (b"/nas/chest", [b"/mnt/nas/chest"]),
        (b"/films/a", [b"/srv/films/a"]),
        (b"/srv/films", [b"/films"]),
        (b"/srv/films2", []),
    ],
)
def test_names_are_those_of_the_same_part_of_the_same_file_system(
    mounts: list[Mount], path: bytes, others: list[bytes]
) -> None:
    assert list(other_names(path, mounts)) == others


def test_a_system_that_does_not_say_has_no_mounts(tmp_path: Path) -> None:
    assert (mount_table(str(tmp_path / "none")), list(other_names(b"/archive", []))) == ([], [])


def test_this_machines_table_can_be_read() -> None:
    assert any(mount.point == b"/" for mount in mount_table()) or not os.path.exists("/proc/self/mountinfo")


@pytest.mark.parametrize(
    ("path", "top", "inside"),
    [(b"/a", b"/a", b""), (b"/a/b", b"/a", b"b/"), (b"/ab", b"/a", None), (b"/a", b"/a/b", None), (b"/a", b"/", b"a/")],
)
def test_a_directory_is_below_another_by_whole_names(path: bytes, top: bytes, inside: bytes | None) -> None:
    assert below(path, top) == inside


def test_directories_are_compared_by_device_and_inode(tmp_path: Path) -> None:
    one, other, link = tmp_path / "one", tmp_path / "other", tmp_path / "link"
    one.mkdir()
    other.mkdir()
    link.symlink_to(one)
    assert is_same_directory(bytes(one), bytes(link)) is True
    assert is_same_directory(bytes(one), bytes(other)) is False
    assert is_same_directory(bytes(one), bytes(tmp_path / "gone")) is None
