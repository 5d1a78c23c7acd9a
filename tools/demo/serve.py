"""Serves a site on this machine alone, with the headers that threads need."""

import hashlib
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from portraiture.reference.errors import OptionError
from portraiture.tools.demo.site import HEADERS, Site

HOST = "localhost"
"""A browser takes it for a safe place without a certificate: camera, threads and offline use need that."""

_TYPES = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".tflite": "application/octet-stream",
    ".webmanifest": "application/manifest+json",
    ".bin": "application/octet-stream",
}


def content_type(name: str) -> str:
    """The media type of a file by its name."""
    guessed = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the files of a site, and for nothing else."""

    protocol_version = "HTTP/1.1"
    site: ClassVar[Site] = {}

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        name = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
        source = self.site.get(name)
        if source is None:
            return self._send(HTTPStatus.NOT_FOUND, b"not found\n" if body else b"", "text/plain; charset=utf-8")
        content = source if isinstance(source, bytes) else source.read_bytes()
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            return self._send(HTTPStatus.NOT_MODIFIED, None, content_type(name), tag)
        return self._send(HTTPStatus.OK, content, content_type(name), tag, body)

    def _send(
        self, status: HTTPStatus, content: bytes | None, kind: str, tag: str | None = None, body: bool = True
    ) -> None:
        """Write one answer; None is an answer that has no body at all."""
        self.send_response(status)
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-cache")  # asked again each time, sent again only when it changed
        if tag:
            self.send_header("ETag", tag)
        if content is not None:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and content:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a person reads the address alone."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a browser that goes away in the middle of a file is no error."""


@contextmanager
def server(site: Site, port: int | None, first: int) -> Iterator[tuple[ThreadingHTTPServer, str]]:
    """A server that listens, and its address; ``serve_forever`` answers.

    Args:
        site: what is served.
        port: to listen on, 0 for any; None for ``first``, or any where that one is taken.
        first: the port to try where none is asked for.

    Raises:
        OptionError: the port that was asked for is taken.
    """
    handler = type("Handler", (_Handler,), {"site": site})
    try:
        listening = _Server((HOST, first if port is None else port), handler)
    except OSError as error:
        if port is not None:
            raise OptionError(f"--port: expected a free port, found {port}: {error.strerror}; give another") from error
        listening = _Server((HOST, 0), handler)
    with listening:
        yield listening, f"http://{HOST}:{listening.server_address[1]}/"
