"""A real name server on loopback that answers as its zone says."""

from __future__ import annotations

import select
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


def _pair(address):
    """A UDP and a TCP socket on one port; another process may hold the other half of a free one."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(address)
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
            if address[1]:
                raise


def _kind_of(record):
    """Addresses are written as they are, name servers with their last dot."""
    return "NS" if record.endswith(".") else "AAAA" if ":" in record else "A"


class NameServer:
    """UDP, and TCP for the truncated. `zone` maps a name to addresses or to how it is wrong; `*` is every other name.

    Wrong are the name of an rcode, `silent`, `garbage`, `truncated`, `cut` (truncated, and TCP closes), `forged` (an answer
    under another id, then the right one), `misread` (answers another question), `lame` (refers to other name servers),
    `cname:NAME`, `loop` (an alias of itself).
    """

    def __init__(self, zone, address=("127.0.0.1", 0)):
        self.zone, self.asked = zone, []
        self.udp, self.tcp = _pair(address)
        self.port = self.udp.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.running = True
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self.running:
            try:
                ready, _, _ = select.select([self.udp, self.tcp], [], [], 0.1)
                for sock in ready:
                    self._udp() if sock is self.udp else self._tcp()
            except (OSError, ValueError):
                return

    def _udp(self):
        raw, peer = self.udp.recvfrom(4096)
        for reply in self._replies(raw, datagram=True):
            self.udp.sendto(reply, peer)

    def _tcp(self):
        connection, _ = self.tcp.accept()
        with connection:
            size = struct.unpack("!H", connection.recv(2))[0]
            for reply in self._replies(connection.recv(size), datagram=False):
                connection.sendall(struct.pack("!H", len(reply)) + reply)

    def _replies(self, raw, *, datagram):
        query = dns.message.from_wire(raw)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, question.rdtype.name))
        wanted = self.zone.get(name, self.zone.get("*", "NXDOMAIN"))
        if wanted == "silent" or (wanted == "cut" and not datagram):
            return []
        if wanted == "garbage":
            return [raw[:2] + b"\x80\x00garbage"]
        if wanted == "misread":
            return [self._made(dns.message.make_query("else.example", "A"), ["127.0.0.1"], query.id)]
        if wanted in ("truncated", "cut") and datagram:
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.TC
            return [reply.to_wire()]
        if wanted == "forged":
            forged = bytes([raw[0] ^ 0xFF]) + raw[1:2] + self._made(query, ["127.0.0.9"])[2:]
            return [forged, self._made(query, ["127.0.0.1"])]
        return [self._made(query, ["127.0.0.1"] if wanted == "truncated" else wanted)]

    def _made(self, query, wanted, number=None):
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if number is not None:
            reply.id = number
        question = query.question[0]
        kind = question.rdtype.name
        if isinstance(wanted, str) and wanted.startswith("cname:"):
            target = wanted.removeprefix("cname:")
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", f"{target}."))
            found = self.zone.get(target, "NXDOMAIN")
            if isinstance(found, list) and found and kind == "A":
                reply.answer.append(dns.rrset.from_text(f"{target}.", 60, "IN", "A", *found))
            elif found == "NXDOMAIN":
                reply.set_rcode(dns.rcode.NXDOMAIN)
        elif wanted == "loop":
            turn = f"turn.{question.name}"
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", turn))
            reply.answer.append(dns.rrset.from_text(turn, 60, "IN", "CNAME", question.name.to_text()))
        elif wanted == "lame":
            reply.flags &= ~dns.flags.RA
            reply.authority.append(dns.rrset.from_text("example.", 60, "IN", "NS", "ns1.else.example."))
        elif isinstance(wanted, str):
            reply.set_rcode(dns.rcode.from_text(wanted))
        else:
            typed = {"A": "", "AAAA": "", "NS": "."}.get(kind)  # a value that ends with a dot is a name server
            wanted = [value for value in wanted if typed is not None and value.endswith(".") == bool(typed)]
            fitting = [address for address in wanted if (":" in address) == (kind == "AAAA")]
            if fitting:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *fitting))
        return reply.to_wire()

    def close(self):
        self.running = False
        self.udp.close()
        self.tcp.close()
