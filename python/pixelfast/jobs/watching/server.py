"""The page of the last events, on this machine alone: see `page`."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from pixelfast.errors import OutputError
from pixelfast.jobs.watching.board import Board
from pixelfast.jobs.watching.page import NONCE, events_part, standing_part, whole_page

HOST: Final = "127.0.0.1"
_POLICY: Final = (
    f"default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'nonce-{NONCE}'; "
    f"script-src 'nonce-{NONCE}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageServer:
    """Serves the page until it is closed.

    Attributes:
        address: what a browser is given.
    """

    def __init__(self, board: Board, port: int) -> None:
        """Begins to serve; port 0 takes any that is free. An OutputError says where the port cannot be had."""
        try:
            self._server = _Server((HOST, port), type("Handler", (_Handler,), {"board": board}))
        except OSError as error:
            raise OutputError(
                f"the page cannot be shown at port {port} ({error.strerror}): choose another --page (page)"
            ) from error
        self.address = f"http://{HOST}:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="pixelfast-page", daemon=True).start()

    def close(self) -> None:
        """Serves no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows, two could serve at one port


class _Handler(BaseHTTPRequestHandler):
    """Answers GET alone, and those alone who ask this machine by its own name: no page of the web can look in."""

    board: Board
    timeout = 10.0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers with the page, its parts, or a picture."""
        port = self.server.server_address[1]  # type: ignore[index]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            self._answer(403, "text/plain", b"this page is for this machine alone\n")
            return
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer(200, "text/html", whole_page(self.board).encode())
        elif path == "/now":
            parts = {"standing": standing_part(self.board), "events": events_part(self.board)}
            self._answer(200, "application/json", json.dumps(parts).encode())
        elif path.startswith("/picture/") and (start := path.removeprefix("/picture/")).isdecimal():
            picture = self.board.picture(int(start[:18]))
            if picture is None:
                self._answer(404, "text/plain", b"there is no such picture any more\n")
            else:
                self._answer(200, "image/jpeg", picture, keep=True)
        else:
            self._answer(404, "text/plain", b"there is nothing here\n")

    def _answer(self, code: int, kind: str, body: bytes, *, keep: bool = False) -> None:
        self.send_response(code)
        for name, value in {
            "Content-Type": kind if kind.startswith("image") else f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "private, max-age=86400, immutable" if keep else "no-store",
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing of who looks."""
