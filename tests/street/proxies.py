"""Proxies of every kind that fail in every way."""

from __future__ import annotations

import base64
import select
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)


class ProxyServer:
    """HTTP (CONNECT and absolute form), SOCKS4, SOCKS4a and SOCKS5 on one port, told apart by the first byte.

    What it fetches arrives at 127.0.0.1 from its own loopback address `source`. `ways` says by host (`*` is any other)
    what it does instead: a status (SOCKS: a reply code), `reset` or `hang` after the tunnel stands, `silent` or `close`
    before it, or the raw bytes of an answer. `login` is demanded when given.
    """

    def __init__(self, source, ways=None, login=None, host="127.0.0.1"):
        self.source, self.ways, self.login = source, ways or {}, login
        self.asked, self.carried = [], []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.host, self.port = host, self.listener.getsockname()[1]
        self.ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, scheme="http", login=None):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{login + '@' if login else ''}{host}:{self.port}"

    def close(self):
        self.ended.set()
        self.listener.close()

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(10)
        with connection:
            try:
                first = connection.recv(1, socket.MSG_PEEK)
                {b"\x05": self._socks5, b"\x04": self._socks4}.get(first, self._http)(connection)
            except OSError:
                return

    def _way(self, host):
        self.asked.append(host)
        return self.ways.get(host, self.ways.get("*"))

    def _wait(self, connection):
        """Until the client goes away, or the test ends."""
        while not self.ended.is_set():
            ready, _, _ = select.select([connection], [], [], 0.1)
            if ready and not connection.recv(65536):
                return

    def _http(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return None
            head += piece
        line, *headers = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        place = target if method == "CONNECT" else target.split("/")[2]
        host, _, port = place.rpartition(":") if ":" in place else (place, "", "80")
        if self.login and f"Proxy-Authorization: Basic {encoded(self.login)}" not in headers:
            connection.sendall(
                b"HTTP/1.1 407 Login\r\nproxy-authenticate: Basic realm=x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            return None
        way = self._way(host)
        if way in {"silent", "close"}:
            return self._wait(connection) if way == "silent" else None
        if isinstance(way, int | bytes):
            connection.sendall(way if isinstance(way, bytes) else gateway(way))
            return None
        with self._onward(int(port)) as onward:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + target.split("/", 3)[3]
                kept = [text for text in headers if not text.lower().startswith("proxy-")]
                onward.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *kept]).encode("latin-1"))
            self._through(way, connection, onward)
        return None

    def _socks5(self, connection):
        count = connection.recv(2)[1]
        methods = connection.recv(count)
        if self.login:
            if 2 not in methods:
                connection.sendall(b"\x05\xff")
                return
            connection.sendall(b"\x05\x02")
            connection.recv(1)
            user = connection.recv(connection.recv(1)[0]).decode()
            password = connection.recv(connection.recv(1)[0]).decode()
            fine = (user, password) == self.login
            connection.sendall(b"\x01\x00" if fine else b"\x01\x01")
            if not fine:
                return
        else:
            connection.sendall(b"\x05\x00")
        kind = connection.recv(4)[3]
        if kind == 3:
            host = connection.recv(connection.recv(1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, connection.recv(size))
        port = struct.unpack("!H", connection.recv(2))[0]
        self._socks(connection, host, port, lambda code: b"\x05" + bytes([code]) + b"\x00\x01" + bytes(6))

    def _socks4(self, connection):
        _, _, port, address = struct.unpack("!BBH4s", connection.recv(8))
        fields = b""
        wanted = 2 if address[:3] == b"\0\0\0" else 1
        while fields.count(b"\0") < wanted:
            fields += connection.recv(1)
        host = fields.split(b"\0")[1].decode() if wanted == 2 else socket.inet_ntoa(address)
        self._socks(connection, host, port, lambda code: bytes([0, 91 if code else 90]) + bytes(6))

    def _socks(self, connection, host, port, reply):
        way = self._way(host)
        if way == "silent":
            return self._wait(connection)
        if way == "close":
            return None
        if isinstance(way, int):
            connection.sendall(reply(way))
            return None
        with self._onward(port) as onward:
            connection.sendall(reply(0))
            self._through(way, connection, onward)
        return None

    def _onward(self, port):
        return socket.create_connection(("127.0.0.1", port), 10, source_address=(self.source, 0))

    def _through(self, way, connection, onward):
        if way == "hang":
            return self._wait(connection)
        if way == "reset":
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return None
        while not self.ended.is_set():
            ready, _, _ = select.select([connection, onward], [], [], 0.1)
            for sock in ready:
                piece = sock.recv(65536)
                if not piece:
                    return None
                (onward if sock is connection else connection).sendall(piece)
        return None


def encoded(login):
    return base64.b64encode(":".join(login).encode()).decode()


def gateway(status, *marks):
    lines = [f"HTTP/1.1 {status} Proxy", "content-length: 0", "connection: close", *marks]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
