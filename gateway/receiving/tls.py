"""TLS for peers: our certificate, and theirs, which an authority that a person named has signed."""

from __future__ import annotations

import os
import ssl
import stat

from schemas.errors import UsageError


def server_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Return what speaks TLS 1.2 or later, and demands a certificate that `authority` has signed.

    Raises UsageError where a file cannot be used, or where anybody on this machine can read the key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        if os.stat(key).st_mode & stat.S_IROTH:
            raise UsageError("expected a key that others cannot read, found one that they can; chmod 600 it")
        context.load_verify_locations(cafile=authority)
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"expected a certificate, its key and an authority in PEM files, found: {error.strerror or error}; "
            "a key must have no password"
        ) from error
    return context
