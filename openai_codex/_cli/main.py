"""The entry point: parses the arguments, runs the command, and turns errors into a sentence and an exit code."""

from __future__ import annotations

import argparse
import platform
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._cli import doctor, jobs, run, trace
from openai_codex._cli.output import discard_output, prepare_streams, sentence, write_line
from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex._version import __version__
from openai_codex.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_codex._cli.options import Command

COMMANDS: tuple[Command, ...] = (doctor.COMMAND, run.COMMAND, trace.COMMAND, jobs.COMMAND)

# As shells report programs that a signal has ended.
INTERRUPTED, BROKEN_PIPE = 130, 141

_MANUAL = """\
Check an installation of Codex, run turns from a shell or a script, and see what a program has done.

  openai-codex doctor                         what is installed, and whether it works
  openai-codex run "Explain this directory"   one turn of the model in the current directory
  openai-codex trace run.jsonl summary        what the journal of a program tells
  openai-codex jobs jobs.sqlite               the jobs in the state of a pool
  openai-codex COMMAND --help                 the manual of a command

`python -m openai_codex` is the same program."""

_EXIT_CODES = """\
exit codes:
  0    it worked
  1    it did not; stderr has one sentence that says why
  2    the arguments are wrong
  130  interrupted by Ctrl-C
  141  the output pipe is closed (`| head`)

variables:
  OPENAI_CODEX_BIN   the codex binary to start
  OPENAI_CODEX_LOG   `text` or `json`: write the log of the package to stderr
  CODEX_HOME         the home of the runtime: its configuration, login and threads (default: ~/.codex)
  NO_COLOR           no colours"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code.

    Args:
        arguments: The arguments; ``None`` means those of this process.

    Raises:
        SystemExit: With 0 after a help text, and with 2 if the arguments are wrong.
    """
    prepare_streams()
    options = argparse.Namespace(debug=False)
    try:
        return _execute(arguments, options)
    except KeyboardInterrupt:
        return _ended(INTERRUPTED, "interrupted")
    except BrokenPipeError:
        return _ended(BROKEN_PIPE)
    except CodexError as error:
        return _ended(1, f"openai-codex: {error if options.debug else sentence(error)}")
    except OSError as error:  # of the streams: a full disk
        return _ended(1, f"openai-codex: the output cannot be written: {error.strerror}")


def _ended(code: int, text: str = "") -> int:
    """Write why the program ends, if anybody reads that. Returns the exit code."""
    with suppress(OSError):
        if text:
            write_line(text)
    discard_output()
    return code


def _execute(arguments: Sequence[str] | None, options: argparse.Namespace) -> int:
    try:
        _parser().parse_args(arguments, options)
        if options.debug:
            from openai_codex import debug

            debug("text")
        code: int = options.execute(options)
    finally:
        sys.stdout.flush()  # also a help text: at the exit of the process, a broken pipe would be a traceback
    return code


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("openai-codex", description=_MANUAL, epilog=_EXIT_CODES, formatter_class=form)
    version = f"openai-codex {__version__} (runtime {RUNTIME_VERSION}, Python {platform.python_version()})"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(
            command.name, help=command.summary, description=command.manual, epilog=_EXIT_CODES, formatter_class=form
        )
        command.add_options(one)
        one.set_defaults(execute=command.execute)
    return parser
