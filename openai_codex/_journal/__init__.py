"""The journal of a client: every frame between this program and its runtimes, without secrets, as lines of JSON.

settings  where to write, how much, and what to leave out: what users pass
files     the files of one journal, and their rotation
directory the bound of a directory of journals, and which of its files are being written
redact    removes secrets
harmless  says of lines that they have none, without decoding them
named     knows them by the name before them
contents  hashes or cuts the contents of a conversation if asked to
assigned  knows them by what stands before them in a text
beginnings what may be the beginning of a secret
deltas    puts together texts that come in pieces, so that no secret is written in pieces
flood     tells lines that are pieces of texts, and nothing else, apart without decoding them
encode    makes the lines
entries   what waits to be written
record    the thread that writes
report    what an error says about its runtime and the newest frames
read      reads journals
history   what a journal tells, as values: runtimes, threads, turns, items, requests
labels    short texts for single frames
events    makes a history from notifications
timeline  makes it from all lines of a journal
summary   the facts of a history that a person asks for first
sentences these facts as text
search    finds lines of a journal
trace_report  what a journal tells, for a bug report
recorder  what a connection knows of it

No module of it is loaded by a program that has no journal and asks for no report. The newest bytes that a report shows are
kept by `_engine.recent.Recent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import names

if TYPE_CHECKING:
    from openai_codex._journal.settings import Journal as Journal
    from openai_codex._journal.settings import JournalLike as JournalLike
else:
    # For the annotations of `_config`, which are evaluated by whoever asks for type hints.
    __getattr__ = names(__name__, dict.fromkeys(("Journal", "JournalLike"), f"{__name__}.settings"))
