"""Servers on loopback, each wrong in its own way; one thread accepts for all, each connection has its own."""

from __future__ import annotations

import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Mapping

from tests.street.wire import http

ABSENT = http("absent", "404 Not Found")
_PATIENCE_S = 15
_MADE_TO_MEASURE = 65_536


class Visit:
    """One connection, as a behaviour sees it."""

    def __init__(self, connection, port, ended):
        self.connection, self.port, self._ended = connection, port, ended
        self.path, self.headers = "", {}

    def request(self):
        """Read the request; gives its path without the query."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.connection.recv(65_536)
            if not piece:
                raise ConnectionError
            head += piece
        first, *rest = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        self.path = first.split(" ")[1]
        self.headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in rest)}
        return self.path.partition("?")[0]

    def send(self, answer):
        if len(answer) < _MADE_TO_MEASURE:
            answer = answer.replace(b"{port}", b"%d" % self.port)
        self.connection.sendall(answer)

    def pause(self, seconds):
        """Wait; ends early, by an exception, when the street closes."""
        if self._ended.wait(seconds):
            raise ConnectionError

    def hang(self):
        self.pause(_PATIENCE_S)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Servers:
    """Any number of listeners on 127.0.0.1, each with a behaviour."""

    def __init__(self):
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listeners = []
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self, behaviour, context=None):
        """A new server; gives its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listener.setblocking(False)
        port = listener.getsockname()[1]
        self._listeners.append(listener)
        self._selector.register(listener, selectors.EVENT_READ, (behaviour, context, port))
        return port

    def close(self):
        self._ended.set()
        for listener in self._listeners:
            listener.close()

    def _accept(self):
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.1):
                try:
                    connection, _ = key.fileobj.accept()
                except OSError:
                    continue
                threading.Thread(target=self._serve, args=(connection, *key.data), daemon=True).start()

    def _serve(self, connection, behaviour, context, port):
        connection.setblocking(True)
        connection.settimeout(_PATIENCE_S)
        try:
            if context:
                connection = self._secure(connection, context)
            _behave(behaviour, Visit(connection, port, self._ended))
        except OSError:
            pass
        finally:
            connection.close()

    def _secure(self, connection, context):
        secure = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secure.do_handshake()
        except OSError:
            self._ended.wait(0.2)  # closing with unread bytes would reset the connection and swallow the alert
            secure.close()
            raise
        return secure


def _behave(behaviour, visit):
    if callable(behaviour):
        behaviour(visit)
        return
    path = visit.request()
    visit.send(behaviour.get(path, ABSENT) if isinstance(behaviour, Mapping) else behaviour)
    if isinstance(visit.connection, ssl.SSLSocket):
        visit.connection.unwrap()
