"""Hashes and checks readers' passwords by scrypt.

Source: RFC 7914. The parameters are OWASP's of 2025 for 32 MiB: N = 2**15, r = 8, p = 3.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from schemas.errors import UsageError

LEAST, MOST = 12, 1024
"""Characters of a password."""

_N, _R, _P = 2**15, 8, 3
_MEMORY = 2**27


def hashed_password(password: str) -> str:
    """Return the hash to store for a password; raise UsageError for a password that is too short or too long."""
    if not LEAST <= len(password) <= MOST:
        raise UsageError(f"expected a password of {LEAST} to {MOST} characters, found {len(password)}")
    salt = secrets.token_bytes(16)
    return f"scrypt:{_N}:{_R}:{_P}:{salt.hex()}:{_key(password, salt, _N, _R, _P).hex()}"


def is_password(password: str, stored: str | None) -> bool:
    """Return whether `stored` was made of `password`; None (no such reader) takes as long to refuse."""
    _, n, r, p, salt, key = (stored or _OF_NOBODY).split(":")
    found = _key(password[:MOST], bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(key)) and stored is not None


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


_OF_NOBODY = f"scrypt:{_N}:{_R}:{_P}:{'00' * 16}:{'00' * 32}"
