"""A real receiver of messages on loopback: answers what a test says, remembers what arrived."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """POSTs by path; `answers[path]` is a status, `"stall"` (until the end of the test) or a list of them in turn."""

    def __init__(self):
        self.arrived, self.answers, self.headers = [], {}, {}
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                answer = outer.answers.get(self.path, 200)
                if isinstance(answer, list):
                    answer = answer.pop(0) if answer else 200
                if answer == "stall":
                    outer._over.wait(60)
                    return
                if answer < 400:
                    outer.arrived.append((self.path, json.loads(body)))
                self.send_response(answer)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path, scheme="json"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def at(self, path):
        return [body for place, body in self.arrived if place == path]

    def titles(self, path):
        return [body.get("title") or body["commonAnnotations"]["summary"] for body in self.at(path)]

    def close(self):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
