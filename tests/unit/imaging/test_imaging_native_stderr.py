"""Codecs' words are caught; everyone else's reach standard error."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from wetread.imaging.native_stderr import codec_messages


def test_codecs_are_caught_and_others_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with codec_messages() as messages:
        os.write(2, b"libpng error: bad\n")
        os.write(2, b'{"event": "a log line of another thread"}\n')
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
        assert messages == []
    os.write(2, b"after\n")
    assert messages == ["libpng error: bad", "Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == '{"event": "a log line of another thread"}\nafter\n'


def test_the_further_lines_of_a_codec_s_message_go_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    with codec_messages() as messages:
        os.write(
            2, b"[ERROR:0@0.1] global loadsave.cpp:17 imdecode failed\n> expected:\n>     'size' is 7\n\n  of it\n"
        )
        os.write(2, b"a log line\n> quoted by its writer\n")
    assert messages == ["imdecode failed"]
    assert capfd.readouterr().err == "a log line\n> quoted by its writer\n"


def test_standard_error_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyError), codec_messages():
        os.write(2, b"passed on\n")
        raise KeyError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "passed on\nafter\n"
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_process_without_standard_error_still_decodes() -> None:
    script = """
import os
os.close(2)
from tests.unit.imaging.pictures import encoded, film
from wetread.imaging.decode import decode
print(decode(encoded(".jpg", film())).pixels.shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."}
    )
    assert done.stdout == "(200, 240)\n"
