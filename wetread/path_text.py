"""A path as text, spelled the same way everywhere."""

from __future__ import annotations


def path_text(path: bytes) -> str:
    """Return a path as text: what is not UTF-8 percent-escaped, as JSON results name it."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        pass
    return "".join(
        f"%{ord(sign) - 0xDC00:02X}" if 0xDC80 <= ord(sign) <= 0xDCFF else sign
        for sign in path.decode("utf-8", "surrogateescape")
    )
