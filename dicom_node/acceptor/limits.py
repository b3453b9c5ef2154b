"""How much, how many and how long: every limit of the acceptor with its default."""

from __future__ import annotations

from dataclasses import dataclass

from dicom_node.network import MAXIMUM_PDU


@dataclass(frozen=True)
class Limits:
    """Counts, bytes and seconds. Those before and after the negotiation are apart (B1 row 1)."""

    # Connections without an association
    waiting: int = 256
    """All together. One too many puts out the oldest of the address that has most of them."""
    waiting_per_address: int = 64
    """The same of one address; fewer would break a PACS that sends with many threads (B1)."""
    handshake_s: float = 5.0
    """For TLS."""
    request_s: float = 5.0
    """From the connection to the last byte of the A-ASSOCIATE-RQ."""
    request_bytes: int = 64 * 1024
    """Of that PDU."""
    # Associations
    associations: int = 200
    associations_per_address: int = 200
    pdu_bytes: int = MAXIMUM_PDU
    """Of one PDU: what we ask for, and what we enforce."""
    pdu_s: float = 30.0
    """From the first to the last byte of one PDU, however they drip."""
    idle_s: float = 60.0
    """Without a byte from the peer, between PDUs."""
    message_s: float = 3600.0
    """From the first to the last PDU of one message."""
    send_s: float = 30.0
    """For a peer that does not read what we answer."""
    object_bytes: int = 2 * 1024**3
    """Of one data set; a longer one ends the association."""
    data_set_bytes: int = 8 * 1024**2
    """Of a data set that is not stored (N-ACTION and others)."""
    chunk_bytes: int = 1024**2
    """So much of an object waits in memory; a longer one is written to a file as it comes."""
    # Ends
    farewell_s: float = 2.0
    """ARTIM once the association has ended (PS3.8 9.1.5): so long the peer may take to close."""
    stop_s: float = 2.0
    """At the stop, for objects that are under way."""
    # Threads
    storing_threads: int = 8
    answering_threads: int = 4
