"""Runtimes that are started by the test and not by a client, and a proxy that cuts the connections to one."""

from __future__ import annotations

import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from typing_extensions import Self

from openai_codex import AppServerConfig
from openai_codex._engine.transport.installation import command_line
from openai_codex._runtime.environment import environment_of

TOKEN = "tok-4f1d29c7a8e35b60"  # noqa: S105  of no service
_PATIENCE = 30.0


@contextmanager
def started(config: AppServerConfig, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a runtime in the home of a configuration with arguments of ``app-server``; end it at the end."""
    process = subprocess.Popen(
        [*command_line(config), *arguments],
        cwd=config.cwd,
        env=environment_of(config),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@contextmanager
def listening(config: AppServerConfig, token: str | None = TOKEN) -> Iterator[str]:
    """Start a runtime that listens on loopback, and that asks for a token if one is given; yield its address."""
    with listening_process(config, token) as (endpoint, _):
        yield endpoint


@contextmanager
def listening_process(
    config: AppServerConfig, token: str | None = TOKEN
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Do what `listening` does, and yield the process, too."""
    arguments = ["--listen", "ws://127.0.0.1:0"]
    if token is not None:
        file = Path(config.cwd or "").parent / "token"
        file.write_text(token)
        arguments += ["--ws-auth", "capability-token", "--ws-token-file", str(file)]
    with started(config, *arguments) as process:
        assert process.stderr is not None
        endpoint = None
        while endpoint is None:
            line = process.stderr.readline().decode()
            assert line, "the runtime has exited"
            if "listening on: " in line:
                endpoint = line.split("listening on: ")[1].split()[0]
        rest = threading.Thread(target=process.stderr.read, daemon=True)
        rest.start()
        yield endpoint, process
        process.kill()
        rest.join()


class Cutter:
    """A proxy in front of an address, whose connections a test can cut, and refuse for a time."""

    def __init__(self, endpoint: str) -> None:
        self.lead_to(endpoint)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"ws://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self.accepted = 0
        """How many connections there have been."""
        self.refuses = False
        """Whether new connections are ended at once."""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        self._thread.join(_PATIENCE)

    def lead_to(self, endpoint: str) -> None:
        """Lead new connections to another address."""
        host, _, port = endpoint.rpartition("/")[2].partition(":")
        self._target = host, int(port)

    def cut(self) -> None:
        """End all connections, without a word to either side."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self.accepted += 1
                if self.refuses:
                    near.close()
                    continue
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(self._target) as far:
            ends = {near: far, far: near}
            self._open.update(ends)
            try:
                while True:
                    for each in select.select(list(ends), [], [])[0]:
                        data = each.recv(1 << 16)
                        if not data:
                            return
                        ends[each].sendall(data)
            finally:
                self._open.difference_update(ends)
