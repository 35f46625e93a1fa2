"""Sockets that read much at once, as kafka-python makes them."""

import socket
from contextlib import closing

from kafka.net.inet import KafkaNetSocket

from monitor.worker.large_reads import large_reads

MUCH = b"x" * 100_000


def test_what_has_come_is_read_at_once_however_little_is_asked_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        factory = KafkaNetSocket(large_reads()["proxy_url"])
        family, kind, protocol, _, address = factory.dns_lookup(*server.getsockname())[0]
        with closing(factory.socket(family, kind, protocol)) as ours:
            assert factory.connect_ex(ours, address) == 0
            theirs, _ = server.accept()
            with closing(theirs):
                theirs.sendall(MUCH)
                theirs.shutdown(socket.SHUT_WR)
                ours.recv(4096, socket.MSG_PEEK | socket.MSG_WAITALL)
                assert ours.recv(4096) == MUCH
