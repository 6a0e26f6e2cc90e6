"""A real browser without a window: opens a page, and tells what it shows, asks for and complains about.

It is driven through a pair of pipes, in the protocol of Chrome's developer tools.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.support.bounds import PATIENCE

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
"""The programs that are tried, by their names; `make browser` installs the first."""

# No sandbox: it needs rights that containers do not have, and root is refused with it. The page is ours.
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)


def program() -> str:
    """Return the browser. There has to be one: the page is checked by nothing else."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found is not None, "there is no Chromium: `make browser` installs it"
    return found


@attrs.define
class Page:
    """A page that is open."""

    _browser: Browser
    _session: str

    def value(self, expression: str) -> Any:
        """Return what JavaScript evaluates to; a rejected promise or an exception fails."""
        options = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.ask("Runtime.evaluate", **options)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command. Returns its result."""
        return self._browser.ask(method, params, self._session)

    def told(self, *methods: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of these methods so far."""
        self.value("new Promise(done => setTimeout(done, 0))")  # those of the page have come before this
        return [each["params"] for each in self._browser.events if each["method"] in methods]

    def picture(self, path: Path) -> None:
        """Save what it shows as PNG."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=False)
        path.write_bytes(base64.b64decode(answer["data"]))


class Browser:
    """A process of the browser. ``events`` has all that it has told."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._numbers = itertools.count(1)
        self._rest = b""
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, params: dict[str, Any], session: str | None = None) -> Any:
        """Send a command and wait for its answer."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._to, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)
        raise AssertionError(f"the browser ended, or did not answer {method} in time")

    def wait_for(self, method: str) -> None:
        """Wait for an event."""
        if any(each["method"] == method for each in self.events):
            return
        for each in self._messages():
            self.events.append(each)
            if each.get("method") == method:
                return
        raise AssertionError(f"no {method} in time")

    def _messages(self) -> Iterator[dict[str, Any]]:
        until = time.monotonic() + PATIENCE
        while True:
            while b"\0" in self._rest:
                message, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(message)
            readable, _, _ = select.select([self._back], [], [], max(0.0, until - time.monotonic()))
            data = os.read(self._back, 1 << 16) if readable else b""
            if not data:
                return
            self._rest += data


@contextlib.contextmanager
def opened(url: str, width: int = 1400, height: int = 1000) -> Iterator[Page]:
    """Open a page, with all that it asks for and complains about noted from the beginning."""
    with contextlib.ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        browser = Browser(*_started(stack, [program(), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]))
        target = browser.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = browser.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(browser, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.ask("Page.navigate", url=url)
        browser.wait_for("Page.loadEventFired")
        yield page


def _started(stack: contextlib.ExitStack, command: list[str]) -> tuple[int, int]:
    """Start the browser, which reads commands from its descriptor 3 and answers on 4. Returns the other ends."""
    (theirs, to), (back, their_back) = os.pipe(), os.pipe()
    for each in (to, back):
        stack.callback(os.close, each)
    # A shell gives the ends their numbers: descriptors of this process may have them.
    shell = ["/bin/bash", "-c", f'exec 3<&{theirs} 4>&{their_back}; exec "$@"', "browser", *command]
    process = subprocess.Popen(
        shell, pass_fds=(theirs, their_back), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    for each in (theirs, their_back):
        os.close(each)
    return to, back
