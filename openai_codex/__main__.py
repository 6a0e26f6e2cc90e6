"""Starts the command line: ``python -m openai_codex``, which is the same as the script ``openai-codex``."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

# As shells report a program that Ctrl-C has ended; the same as in `openai_codex._cli.main`, which is not loaded yet.
_INTERRUPTED = 130


def main() -> int:
    """Run the command line. Returns the exit code, also where Ctrl-C comes while its modules are loaded, or at its end.

    Raises:
        SystemExit: With 0 after a help text, and with 2 if the arguments are wrong.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        if handler is signal.default_int_handler:  # a shell lets programs in the background ignore it
            # No exception: one that is raised while a module in C is loaded may crash the interpreter.
            signal.signal(signal.SIGINT, _leave)
        from openai_codex._cli import main as command_line

        signal.signal(signal.SIGINT, handler)
        code = command_line.main()
    except KeyboardInterrupt:
        _leave()
    # What was asked for is done. While the interpreter ends, Ctrl-C would kill it by the signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _leave(*_: object) -> NoReturn:
    """End the process before anything was started."""
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
