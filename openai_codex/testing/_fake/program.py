"""The program that a `FakeAppServer` runs as its child: it connects three pipes to the test and carries out commands.

It does not know JSON or the protocol. Input from stdin goes to the test unchanged; the test sends commands over a
loopback connection: what to write, and how to misbehave. They are carried out one after another. When the connection
ends, the process ends, even if it ignores the end of stdin and signals.

It is run as a file, by an interpreter without site packages, and imports very little, because it is started often.
"""

from __future__ import annotations

import _socket  # the C module: importing `socket` would take a third of the start
import os
import select
import sys

# A fixed size: the reader knows how much to receive without a parser.
HEADER_SIZE = 64
_CHUNK = 1 << 18
_STDIN = 0


def packed(verb: str, *numbers: int, payload: bytes = b"") -> bytes:
    """Encode a message, in either direction: a padded header of words that ends in the size, then the payload."""
    words = " ".join((verb, *(str(int(number)) for number in numbers), str(len(payload))))
    return words.encode().ljust(HEADER_SIZE) + payload


def unpacked(header: bytes) -> tuple[str, list[int], int]:
    """Decode a header: the verb, its numbers, and the size of the payload."""
    verb, *numbers, size = header.decode().split()
    return verb, [int(number) for number in numbers], int(size)


class Child:
    """This process. It reads stdin only on command, so that the test can configure it before."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self.control = self.connect(ticket=0)
        self.is_reading = False
        self.ignores_end = False

    def connect(self, ticket: int) -> _socket.socket:
        """Connect to the test and identify this process; `ticket` is that of the command that started it."""
        control = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        control.connect(("127.0.0.1", self.port))
        control.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        control.sendall(packed("hello", os.getpid(), ticket, payload=self.token.encode()))
        return control

    def run(self) -> None:
        """Carry out commands and forward input until the connection ends; commands come first."""
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
        """Send the input of stdin to the test; exit at its end, unless that is ignored."""
        data = os.read(_STDIN, _CHUNK)
        if data:
            self.control.sendall(packed("input", payload=data))
        elif self.ignores_end:
            self.is_reading = False
        else:
            leave()

    def receive(self, size: int) -> bytes:
        """Read `size` bytes from the connection; exit at its end."""
        data = bytearray()
        while len(data) < size:
            piece = self.control.recv(min(size - len(data), _CHUNK))
            if not piece:
                leave()
            data += piece
        return bytes(data)

    # --- commands: each takes its numbers and the payload

    def write(self, numbers: list[int], payload: bytes) -> None:
        """Write the payload repeatedly to a file descriptor, in pieces of a size."""
        fd, times, piece = numbers
        rest = memoryview(payload * times)
        while rest:
            # `os.write` may write less than it is given; the next piece starts where it stopped.
            rest = rest[os.write(fd, rest[: piece or len(rest)]) :]

    def close(self, numbers: list[int], _: bytes) -> None:
        """Close a file descriptor."""
        os.close(numbers[0])

    def read(self, numbers: list[int], _: bytes) -> None:
        """Start or stop reading stdin."""
        self.is_reading = bool(numbers[0])

    def ignore_end(self, _numbers: list[int], _: bytes) -> None:
        """Stay alive at the end of stdin."""
        self.ignores_end = True

    def ignore_signal(self, numbers: list[int], _: bytes) -> None:
        """Ignore a signal."""
        import signal  # takes longer than all other imports, and few tests need it

        signal.signal(numbers[0], signal.SIG_IGN)

    def sync(self, _numbers: list[int], _: bytes) -> None:
        """Do nothing; the confirmation shows that all earlier commands are done."""

    def exit(self, numbers: list[int], _: bytes) -> None:
        """End with an exit code."""
        leave(numbers[0])

    def die(self, numbers: list[int], _: bytes) -> None:
        """End by a signal, also an ignored one."""
        import signal

        if numbers[0] not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(numbers[0], signal.SIG_DFL)
        os.kill(os.getpid(), numbers[0])

    def spawn(self, numbers: list[int], _: bytes) -> None:
        """Start an idle process that outlives this one."""
        if os.fork() == 0:
            try:
                self.idle(*numbers)
            finally:
                leave()

    def idle(self, ticket: int, holds_output: int, has_own_session: int) -> None:
        """Wait, in the spawned process, for the end of its own connection."""
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
    """End at once, without the shutdown of the interpreter, which would only take time."""
    os._exit(code)


def main(port: str, token: str) -> None:
    """Run until the connection ends; an error of the connection means that the test process has died."""
    try:
        Child(int(port), token).run()
    except OSError:
        leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
