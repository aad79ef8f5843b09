"""A proxy that says who signed in at it, as one for OIDC does: by a cookie of its own, whatever the browser says."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ADDRESS = "127.0.0.2"
"""From which it calls; a test's own clients call from 127.0.0.1."""


@contextmanager
def naming_proxy(port: int, header: str) -> Iterator[int]:
    """Give the port of a proxy before the server on `port`. Whoever has the cookie who=NAME is said to be NAME."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._hand_on()

        def do_POST(self) -> None:
            self._hand_on()

        def _hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept = [(name, value) for name, value in self.headers.items() if name.lower() != header.lower()]
            cookies = dict(
                one.strip().partition("=")[::2] for one in (self.headers.get("cookie") or "").split(";")
            )  # fmt: skip
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(ADDRESS, 0))
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in kept:
                    connection.putheader(name, value)
                for name in cookies.get("who", "").split("+"):
                    if name:
                        connection.putheader(header, name)
                connection.endheaders(body or None)
                answer = connection.getresponse()
                self.send_response(answer.status)
                data = answer.read()
                for name, value in answer.getheaders():
                    if name.lower() not in ("date", "server", "content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            finally:
                connection.close()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
