"""A DNS server of a test's own, whose answers change while others ask."""

from __future__ import annotations

import errno
import socketserver
import threading

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers on port 53 of a loopback address of its own, since resolv.conf knows no other port.

    `addresses` maps absolute names to IPv4 addresses; other names do not exist. `asked` collects
    the names that were asked for. While `silent` is set there are no answers at all.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.asked: set[str] = set()
        self.silent = False
        self._server = self._bind()
        self.address = str(self._server.server_address[0])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> NameServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _bind(self) -> socketserver.UDPServer:
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                if not server.silent:
                    socket.sendto(server._answer(data), self.client_address)

        for last in range(1, 255):
            try:
                return socketserver.UDPServer((f"127.53.53.{last}", 53), Handler)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise RuntimeError("port 53 is taken on all of 127.53.53.0/24")

    def _answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = question.name.to_text()
        self.asked.add(name)
        address = self.addresses.get(name)
        if address is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", "A", address))
        return answer.to_wire()
