"""The command `trace`: what a journal tells."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from openai_codex._cli.options import Command
from openai_codex._cli.output import clean
from openai_codex._journal import summary
from openai_codex._journal.timeline import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._journal.history import History

_MANUAL = """\
Show what a journal tells: the file or directory that AppServerConfig(journal=...) or $OPENAI_CODEX_JOURNAL has named.

  openai-codex trace run.jsonl summary
  openai-codex trace run.jsonl summary --json | jq .not_completed

A file is read with those that were begun after it; of a directory, all journals in it. A journal can be read while it is
written, and after its program was killed: what has no end in it is called lost."""

SUMMARY = "turns, tokens, slowest requests, waits, errors, longest silences, lost turns"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, and its actions."""
    parser.add_argument("file", metavar="FILE", help="a journal, or a directory of journals")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, (about, add, execute_action) in ACTIONS.items():
        one = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        one.add_argument(
            "--debug", action="store_true", help="write the log of the package to stderr, and whole errors"
        )
        add(one)
        one.set_defaults(act=execute_action)


def execute(options: argparse.Namespace) -> int:
    """Do what is asked."""
    act: Callable[[argparse.Namespace], int] = options.act
    return act(options)


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
        write(summary.lines(found))
    return 0


ACTIONS = {"summary": (SUMMARY, _add_summary, _summary)}
