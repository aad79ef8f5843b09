"""A file appears whole or not at all, and nothing but a file is ever replaced."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from schemas.errors import UsageError, WetreadError
from wetread.whole_file import AS_UMASK_SAYS, whole_file, write_whole


def test_a_new_file_is_its_makers_alone_and_an_older_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for data in (b"first", b"second"):
        write_whole(str(path), data)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (data, 0o600)
    assert os.listdir(tmp_path) == ["rows.csv"]
    write_whole(str(path), b"", mode=AS_UMASK_SAYS)
    assert stat.S_IMODE(path.stat().st_mode) & 0o200


def test_after_a_fault_the_older_file_stays_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"before")
    for fault in (OSError("full"), RuntimeError("broken")):
        with pytest.raises((WetreadError, RuntimeError)), whole_file(str(path)) as file:
            file.write(b"half")
            raise fault
        assert (path.read_bytes(), os.listdir(tmp_path)) == (b"before", ["rows.csv"])


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "rows.csv", tmp_path / "latest.csv"
    link.symlink_to(target)
    for data in (b"made through the link", b"replaced through it"):
        write_whole(str(link), data)
        assert (link.is_symlink(), target.is_symlink(), target.read_bytes()) == (True, False, data)


def device(path: Path, minor: int) -> Path:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    except PermissionError:
        pytest.skip("only root makes devices")
    return path


def test_the_null_device_is_written_into_and_stays_one(tmp_path: Path) -> None:
    null = device(tmp_path / "null", 3)
    link = tmp_path / "link"
    link.symlink_to(null)
    for path in (null, link):
        write_whole(str(path), b"nobody reads this")
        assert stat.S_ISCHR(null.stat().st_mode)
    with pytest.raises(WetreadError, match="No space left"):
        write_whole(str(device(tmp_path / "full", 7)), b"more")


def test_a_device_a_socket_and_a_folder_are_refused_and_stay(tmp_path: Path) -> None:
    memory = device(tmp_path / "zero", 5)
    with pytest.raises(UsageError, match="found a device or a socket"):
        write_whole(str(memory), b"x")
    assert stat.S_ISCHR(memory.stat().st_mode)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(UsageError, match="found a device or a socket"):
            write_whole(str(tmp_path / "socket"), b"x")
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)
    with pytest.raises(UsageError, match="found a folder"):
        write_whole(str(tmp_path), b"x")


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(str(pipe), b"through the pipe")
    reader.join(timeout=20)
    assert (read, stat.S_ISFIFO(pipe.stat().st_mode)) == ([b"through the pipe"], True)


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_what_is_open_already_is_gone_on_with_where_it_stands(name: str, tmp_path: Path) -> None:
    with (tmp_path / "said.txt").open("wb", buffering=0) as file:
        file.write(b"before ")
        write_whole(name.format(file.fileno()), b"after")
        file.write(b" end")
    assert (tmp_path / "said.txt").read_bytes() == b"before after end"


def test_a_new_file_is_never_put_over_another(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(FileExistsError), whole_file(str(path), new=True) as file:
        file.write(b"mine")
        path.write_bytes(b"theirs, made meanwhile")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"theirs, made meanwhile", ["net.onnx"])


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "missing" / "rows.csv", tmp_path / "loop"):
        with pytest.raises(UsageError, match="choose another place"):
            write_whole(str(path), b"x")
