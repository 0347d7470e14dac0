"""Addresses at which nobody serves: one that refuses, one that never takes a connection.

Must not know: what is tried on them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

HOST = "127.0.0.1"


@contextmanager
def refusing_port() -> Iterator[int]:
    """Give a port on 127.0.0.1 that refuses every connection, and that nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield held.getsockname()[1]


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port on 127.0.0.1 at which a connection is never established, as behind a firewall that drops.

    The queue of its listener holds one connection, which is ours; to further SYNs Linux does not reply.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        filler = stack.enter_context(socket.socket())
        filler.connect(listener.getsockname())
        yield listener.getsockname()[1]
