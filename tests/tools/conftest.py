"""A browser to talk to, for what is a page."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class Page:
    """A page in a browser, spoken to by its DevTools protocol."""

    def __init__(self, connection: WebSocketClientConnection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection, self._loop, self._count, self._session = connection, loop, 0, ""
        self.complaints: list[dict[str, Any]] = []

    async def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        about = {"sessionId": self._session} if self._session else {}
        await self._connection.write_message(
            json.dumps({"id": self._count, "method": method, "params": parameters, **about})
        )
        while True:
            answer = json.loads(await asyncio.wait_for(self._connection.read_message(), 60))
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.complaints.append(answer["params"])
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method of the protocol."""
        return self._loop.run_until_complete(self._ask(method, parameters))

    def open(self, url: str, before: str = "") -> None:
        """Open a page and wait until it is loaded; ``before`` is a script that runs ahead of the page's own.

        With a script, the page can reach nothing beyond http.
        """
        self._session = ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Runtime.enable")
        self.ask("Log.enable")
        if before:
            self.ask("Page.enable")
            self.ask("Network.enable")
            self.ask("Network.setBlockedURLs", urls=["https://*"])
            self.ask("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.ask("Page.navigate", url=url)
        self.until(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url)})")

    def value(self, script: str) -> Any:
        """What an expression gives on the page."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + 30
        while not self.value(script):
            assert time.monotonic() < end, script
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

        async def closed() -> None:
            while await self._connection.read_message() is not None:
                pass

        self._loop.run_until_complete(closed())


async def _connected(address: str) -> WebSocketClientConnection:
    return await websocket_connect(HTTPRequest(address), max_message_size=1 << 28)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page; the test is skipped where no browser is."""
    program = next((b for b in BROWSERS if shutil.which(b)), None)
    if program is None or sys.platform == "win32":
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    process = subprocess.Popen(
        [program, "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
         f"--user-data-dir={tmp_path / 'profile'}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    with contextlib.ExitStack() as stack:
        for end in (process.stderr.close, process.wait):  # the last one first
            stack.callback(end)
        stack.callback(os.killpg, process.pid, signal.SIGKILL)  # a script starts the browser, which has processes too
        address = next(line for line in process.stderr if line.startswith("DevTools listening on")).split()[-1]
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        connection = loop.run_until_complete(_connected(address))
        found = Page(connection, loop)
        stack.callback(found.close)
        yield found
