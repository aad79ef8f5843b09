"""Which file systems are a network's: there SQLite loses data, and the kernel tells a watch of nothing."""

from __future__ import annotations

import pytest

from wetread.network_disk import file_system, mounted, network_file_system

MOUNTS = [(b"/", "ext4"), (b"/home", "nfs4"), (b"/home/local", "xfs"), (b"/srv", "autofs"), (b"/srv", "cifs")]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/var/results.db", "ext4"),
        (b"/home/anna/results.db", "nfs4"),
        (b"/homes/results.db", "ext4"),
        (b"/home/local/results.db", "xfs"),
        (b"/srv/results.db", "cifs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(path: bytes, kind: str) -> None:
    assert file_system(path, MOUNTS) == kind
    assert file_system(path, []) == ""


@pytest.mark.parametrize(
    "kind",
    ["nfs4", "cifs", "lustre", "beegfs", "gpfs", "virtiofs", "fuse.glusterfs", "cephfs", "ocfs2", "davfs", "9p",
     "fuse.rclone", "fuse.sshfs"],
)  # fmt: skip
def test_what_other_machines_write_is_on_a_network(kind: str) -> None:
    assert network_file_system("/archive/2024", [(b"/", "ext4"), (b"/archive", kind)]) == kind


@pytest.mark.parametrize("kind", ["ext4", "xfs", "zfs", "overlay", "fuse.overlayfs", "tmpfs", ""])
def test_a_disk_of_this_machine_is_not(kind: str) -> None:
    assert network_file_system("/archive/2024", [(b"/archive", kind)]) is None


def test_the_mounts_of_this_machine_are_read() -> None:
    assert b"/" in {point for point, _ in mounted()}
