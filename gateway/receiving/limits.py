"""How much a DICOM peer may ask for, and how long it may take.

Sizes and times hold before a peer is known to be allowed: nothing that it claims is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.films import FILE_BYTES_LIMIT

REQUEST_BYTES = 256 * 1024
"""Of an A-ASSOCIATE-RQ: 128 presentation contexts with 30 transfer syntaxes each have half of it."""

PDU_BYTES = 128 * 1024
"""Of a P-DATA-TF, which peers are told; most of them send 16 KiB."""

TOLERANCE_BYTES = 64
"""What a P-DATA-TF may have beyond that: some peers do not count its heads."""

SHORT_PDU_BYTES = 1024
"""Of any other PDU: the standard has four bytes."""

COMMAND_BYTES = 16 * 1024
"""Of a DIMSE command: a C-STORE-RQ has less than 400."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one receiver allows.

    associations, associations_a_peer: at once. connections: at once, of those that have not asked for an association
    yet. object_bytes: of one film. Seconds: request, from the connection to the last byte of its A-ASSOCIATE-RQ, TLS
    included; pdu, from a PDU's first byte to its last; idle, between two messages of an association; object, from a
    C-STORE-RQ to the last byte of its film; commit, that the database may take.
    """

    associations: int = 25
    associations_a_peer: int = 8
    connections: int = 128
    object_bytes: int = FILE_BYTES_LIMIT
    request_seconds: float = 5.0
    pdu_seconds: float = 30.0
    idle_seconds: float = 60.0
    object_seconds: float = 600.0
    commit_seconds: float = 60.0
