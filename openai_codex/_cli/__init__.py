"""The command line `openai-codex`, a program that uses the package. No other module of the package imports it.

main        parses the arguments, runs the command, turns errors into exit codes; the table of commands
trace       the command `trace`: what a journal tells
page        a journal as a page for a browser; page.css and page.js are parts of it
lanes       the SVG of the page
bars        a journal as rows of text with bars
chrome      a journal for Perfetto
run         the command `run`: one turn, shown while it runs
questions   approvals: asks on the terminal, or declines
displays    how a turn is shown: as plain text, or as lines of JSON
live        how a turn is shown on a terminal, with the library rich
items       the lines of text that say what an event means
doctor      the command `doctor`: the table of checks, the report
connected   checks that need a running runtime
installed   checks of what is installed
findings    what a check returns, and what it gets
options     options of several commands, and their types
output      writing to streams that may be a terminal, or closed
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

# As shells report a program that Ctrl-C has ended; the same as in `main`, which is not loaded yet.
_INTERRUPTED = 130


def start() -> int:
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
