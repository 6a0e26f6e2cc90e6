"""The command `trace`: what a journal tells."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._cli import bars, chrome, page
from openai_codex._cli.options import Command, moment, pattern
from openai_codex._cli.output import clean, is_terminal
from openai_codex._journal import sentences, summary
from openai_codex._journal.directory import SUFFIX
from openai_codex._journal.read import read
from openai_codex._journal.search import Search
from openai_codex._journal.timeline import load
from openai_codex._journal.trace_report import report
from openai_codex._portable.placing import open_private
from openai_codex._runtime.display import escape_controls
from openai_codex.errors import CodexError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._journal.history import History

_MANUAL = """\
Show what a journal tells: the file or directory that AppServerConfig(journal=...) or $OPENAI_CODEX_JOURNAL has named.

  openai-codex trace run.jsonl summary
  openai-codex trace run.jsonl summary --json | jq .not_completed
  openai-codex trace run.jsonl timeline --html run.html
  openai-codex trace run.jsonl grep --turn 01a21773-62b7
  openai-codex trace run.jsonl report > report.md

A file is read with those that were begun after it; of a directory, all journals in it. A journal can be read while it is
written, and after its program was killed: what has no end in it is called lost."""

_TIMELINE = """\
Show each turn with its items and server requests on a time axis: as rows of text as wide as the terminal, or as a page that
can be searched, folded, zoomed and printed, needs no network, and can be sent as one file.

  openai-codex trace run.jsonl timeline
  openai-codex trace run.jsonl timeline --html run.html
  openai-codex trace run.jsonl timeline --chrome run.json    # for https://ui.perfetto.dev

In Perfetto, a turn is a track of its runtime, named by its number; its items and server requests follow it."""

_GREP = """\
Write some lines of the journal, as they are: all that is given must apply to them. An answer comes with its request. The
headers are written, too, so that the output is a journal for the other actions.

  openai-codex trace run.jsonl grep --turn 01a21773-62b7 > turn.jsonl
  openai-codex trace run.jsonl grep --method turn/ --dir received --from 10 --to 12.5 --bare | jq .frame"""

DIRECTIONS = {"sent": ">", "received": "<", "life": "!"}

SUMMARY = "turns, tokens, slowest requests, waits, errors, longest silences, lost turns"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, and its actions."""
    parser.add_argument("file", metavar="FILE", type=_journal, help="a journal, or a directory of journals")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, (about, add, execute_action) in ACTIONS.items():
        one = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        one.add_argument(
            "--debug", action="store_true", help="write the log of the package to stderr, and whole errors"
        )
        add(one)
        one.set_defaults(act=execute_action)


def _journal(text: str) -> str:
    if text == "-":
        raise argparse.ArgumentTypeError("a journal is not read from stdin: name its file (./- if it is called so)")
    return text


def execute(options: argparse.Namespace) -> int:
    """Do what is asked."""
    act: Callable[[argparse.Namespace], int] = options.act
    try:
        return act(options)
    except CodexError:
        raise
    except (LookupError, ArithmeticError, AttributeError, TypeError, ValueError, RecursionError) as error:
        # Whatever a file holds, the user reads a sentence; `--debug` shows the cause.
        what = f"{options.file} has lines that cannot be shown: {type(error).__name__}: {error}"
        raise ConfigError("path", " ".join(what.split())) from error


COMMAND = Command("trace", "show what a journal tells", _MANUAL, add_options, execute)


def write(lines: Iterable[str]) -> None:
    """Write lines to stdout, without control characters: the journal has text of the runtime and the model."""
    sys.stdout.writelines(f"{clean(line)}\n" for line in lines)


def _history(options: argparse.Namespace) -> History:
    return load(options.file)


# -- actions ----------------------------------------------------------------------------------------------------------


def _add_summary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write JSON; times are seconds since the beginning")


def _summary(options: argparse.Namespace) -> int:
    found = summary.facts(_history(options))
    if options.json:
        sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    else:
        write(sentences.lines(found))
    return 0


def _add_timeline(parser: argparse.ArgumentParser) -> None:
    parser.description = _TIMELINE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--html", metavar="OUT", help="write a page for a browser to this file")
    shape.add_argument("--chrome", metavar="OUT", help="write a trace for Perfetto to this file")
    parser.add_argument("--thread", metavar="ID", help="only of threads whose ids begin so")
    parser.add_argument("--turn", metavar="ID", help="only turns whose ids begin so")


def _timeline(options: argparse.Namespace) -> int:
    history = _history(options)
    for out in map(Path, filter(None, (options.html, options.chrome))):
        if out.suffix == SUFFIX or (out.exists() and out.samefile(options.file)):
            raise ConfigError("out", f"{out} is a journal, or named as one: it is not overwritten")
    turns = [
        turn
        for turn in history.turns
        if turn.id.startswith(options.turn or "") and turn.thread_id.startswith(options.thread or "")
    ]
    if options.chrome is not None:
        _save(options.chrome, json.dumps(list(chrome.events(history, turns)), ensure_ascii=False))
    elif options.html is not None:
        _save(options.html, page.page(history, turns))
    else:
        for row in bars.rows(history, turns, shutil.get_terminal_size().columns, _look()):
            sys.stdout.write(f"{row}\n")
    return 0


def _look() -> bars.Look:
    if not is_terminal(sys.stdout):
        return bars.Look()
    colours = {} if os.environ.get("NO_COLOR") else bars.COLOURED
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        return bars.Look(colours=colours)
    return bars.Look("█", "▬", "░", "▒", colours)


def _save(path: str, text: str) -> None:
    """Write a file for the user alone: it has what the journal has."""
    try:
        descriptor = open_private(path, os.O_WRONLY | os.O_TRUNC)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123  a descriptor
            file.write(text)
    except OSError as error:
        raise ConfigError("out", f"{path} cannot be written: {error.strerror}") from error


def _add_grep(parser: argparse.ArgumentParser) -> None:
    parser.description = _GREP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--thread", metavar="ID", help="the beginning of the id of a thread")
    parser.add_argument("--turn", metavar="ID", help="the beginning of the id of a turn")
    parser.add_argument(
        "--method", metavar="REGEX", type=pattern, help="a method, or the name of an event of the runtime's life"
    )
    times = "seconds since the beginning of the journal, or a time such as 2026-11-26T10:40:07"
    parser.add_argument("--from", metavar="TIME", dest="since", type=moment, help=f"the earliest time: {times}")
    parser.add_argument("--to", metavar="TIME", dest="until", type=moment, help="the latest time")
    parser.add_argument(
        "--dir",
        metavar="DIRECTION",
        choices=DIRECTIONS,
        action="append",
        default=[],
        help="sent, received or life; may be repeated",
    )
    parser.add_argument(
        "--bare", action="store_true", help="without headers, and starts of runtimes that are not asked for"
    )


def _grep(options: argparse.Namespace) -> int:
    began = next((each.at for each in read(options.file)), 0.0)
    since, until = (each and each.after(began) for each in (options.since, options.until))
    directions = "".join(DIRECTIONS[each] for each in options.dir)
    search = Search(options.thread, options.turn, options.method, since, until, directions)
    output, is_shown = sys.stdout.buffer, is_terminal(sys.stdout)
    for line in search.lines(options.file, bare=options.bare):
        output.write(_readable(line) if is_shown else line)
    return 0


def _readable(line: bytes) -> bytes:
    """Return a line for a terminal, which obeys some characters that JSON leaves as they are: each is an escape of JSON."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    if escape_controls(text) != text:
        text = "".join(each if escape_controls(each) == each else f"\\u{ord(each):04x}" for each in text)
    return f"{text}\n".encode()


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turn", metavar="ID", help="the turn it is about, by the beginning of its id")


def _report(options: argparse.Namespace) -> int:
    sys.stdout.write(report(options.file, options.turn))
    return 0


ACTIONS = {
    "summary": (SUMMARY, _add_summary, _summary),
    "timeline": (
        "turns, items and approvals on a time axis, as text, as a page, or for Perfetto",
        _add_timeline,
        _timeline,
    ),
    "grep": ("some lines of the journal, as they are", _add_grep, _grep),
    "report": ("Markdown for a bug report: the summary, and the turns that did not complete", _add_report, _report),
}
