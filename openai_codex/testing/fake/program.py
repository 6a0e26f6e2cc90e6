"""The program that a `FakeAppServer` runs as its child: a bridge between three pipes and the test, that obeys.

It knows nothing of JSON or of the protocol. What comes on stdin goes to the test as it is; the test says, over a
loopback connection, what to write and how to misbehave. Commands are carried out one after another. When the
connection ends, so does the process, whatever it was told to ignore.

It is run as a file, by an interpreter without site packages, and imports next to nothing: every start costs.
"""

from __future__ import annotations

import _socket  # the C module: `socket` on top of it would be a third of the start
import os
import select
import sys

HEADER_SIZE = 64
_CHUNK = 1 << 18
_STDIN = 0


def packed(verb: str, *numbers: int, payload: bytes = b"") -> bytes:
    """One message of the connection, either way: a padded header of words that ends in the size, then the payload."""
    words = " ".join((verb, *(str(int(number)) for number in numbers), str(len(payload))))
    return words.encode().ljust(HEADER_SIZE) + payload


def unpacked(header: bytes) -> tuple[str, list[int], int]:
    """What a header says: the verb, its numbers, and the size of the payload."""
    verb, *numbers, size = header.decode().split()
    return verb, [int(number) for number in numbers], int(size)


class Child:
    """This process; it begins to read stdin when it is told to, so that the test can set it up before."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self.control = self.connect(ticket=0)
        self.is_reading = False
        self.ignores_end = False

    def connect(self, ticket: int) -> _socket.socket:
        """Connect to the test and introduce this process; `ticket` says by which command it came to be."""
        control = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        control.connect(("127.0.0.1", self.port))
        control.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        control.sendall(packed("hello", os.getpid(), ticket, payload=self.token.encode()))
        return control

    def run(self) -> None:
        """Obey and forward until the connection ends; commands come first."""
        while True:
            sources = [self.control.fileno(), _STDIN] if self.is_reading else [self.control.fileno()]
            if self.control.fileno() in select.select(sources, [], [])[0]:
                self.obey()
            else:
                self.forward()

    def obey(self) -> None:
        """Carry out one command, and confirm it if it has a ticket."""
        verb, (ticket, *numbers), size = unpacked(self.receive(HEADER_SIZE))
        payload = self.receive(size)
        trouble = b""
        try:
            COMMANDS[verb](self, numbers, payload)
        except OSError as error:
            trouble = str(error).encode()
        if ticket:
            self.control.sendall(packed("done", ticket, payload=trouble))

    def forward(self) -> None:
        """Pass on what stdin has; its end is that of the process, unless that is to be ignored."""
        data = os.read(_STDIN, _CHUNK)
        if data:
            self.control.sendall(packed("input", payload=data))
        elif self.ignores_end:
            self.is_reading = False
        else:
            leave()

    def receive(self, size: int) -> bytes:
        """Read so many bytes of the connection; without a connection there is no process."""
        data = bytearray()
        while len(data) < size:
            piece = self.control.recv(min(size - len(data), _CHUNK))
            if not piece:
                leave()
            data += piece
        return bytes(data)

    # --- commands: each takes its numbers and the payload

    def write(self, numbers: list[int], payload: bytes) -> None:
        """Write the payload so many times, in pieces of a size, to a file descriptor."""
        fd, times, piece = numbers
        rest = memoryview(payload * times)
        while rest:
            # `write` may take less than it is given; then the next piece is the shorter one.
            rest = rest[os.write(fd, rest[: piece or len(rest)]) :]

    def close(self, numbers: list[int], _: bytes) -> None:
        """Close a file descriptor."""
        os.close(numbers[0])

    def read(self, numbers: list[int], _: bytes) -> None:
        """Begin or cease to read stdin."""
        self.is_reading = bool(numbers[0])

    def ignore_end(self, _numbers: list[int], _: bytes) -> None:
        """Live on when stdin ends."""
        self.ignores_end = True

    def ignore_signal(self, numbers: list[int], _: bytes) -> None:
        """Live on when a signal comes."""
        import signal  # costs more than all the rest, and few need it

        signal.signal(numbers[0], signal.SIG_IGN)

    def sync(self, _numbers: list[int], _: bytes) -> None:
        """Do nothing, when all before is done."""

    def exit(self, numbers: list[int], _: bytes) -> None:
        """End with an exit code."""
        leave(numbers[0])

    def die(self, numbers: list[int], _: bytes) -> None:
        """End by a signal, also if it is being ignored."""
        import signal

        if numbers[0] not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(numbers[0], signal.SIG_DFL)
        os.kill(os.getpid(), numbers[0])

    def spawn(self, numbers: list[int], _: bytes) -> None:
        """Start a process that does nothing, and lives on without this one."""
        if os.fork() == 0:
            try:
                self.idle(*numbers)
            finally:
                leave()

    def idle(self, ticket: int, holds_output: int, has_own_session: int) -> None:
        """What the spawned process does: it waits for the end of a connection of its own."""
        self.control.close()
        if has_own_session:
            os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0,) if holds_output else (0, 1, 2):
            os.dup2(null, fd)
        self.control = self.connect(ticket)
        self.receive(1)


COMMANDS = {
    "write": Child.write,
    "close": Child.close,
    "read": Child.read,
    "ignore_end": Child.ignore_end,
    "ignore_signal": Child.ignore_signal,
    "sync": Child.sync,
    "exit": Child.exit,
    "die": Child.die,
    "spawn": Child.spawn,
}


def leave(code: int = 0) -> None:
    """End at once: nothing of the interpreter is worth being wound up."""
    os._exit(code)


def main(port: str, token: str) -> None:
    """Live until the connection ends; if that is by an error, the test has gone without a word."""
    try:
        Child(int(port), token).run()
    except OSError:
        leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
