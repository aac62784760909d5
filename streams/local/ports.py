"""Free ports for servers that must know their port before they start."""

import random
import socket

from streams.errors import Retry

HOST = "127.0.0.1"


def free_port() -> int:
    """A free port below the range that the system takes for outgoing connections.

    In that range a client that knocks while the server is down may be given the server's own port, connect to itself
    and keep the server from coming back.
    """
    for _ in range(200):
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise Retry("no_free_port", f"no free port between 20000 and 30000 on {HOST}")
