"""Programs that stand in for a runtime in faults that the real one does not commit on demand."""

from __future__ import annotations

import sys
import textwrap

_PRELUDE = """
import json, os, signal, sys, time
def read():
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit(0)
def send(frame):
    sys.stdout.write(json.dumps(frame) + "\\n"); sys.stdout.flush()
def reply(request, result):
    send({"id": request["id"], "result": result})
INIT = {"userAgent": "fake/1.0 (x)", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"}
def shake_hands():
    reply(read(), INIT)
    assert read()["method"] == "initialized"
"""


def child(program: str) -> tuple[str, ...]:
    """Return the command line of a child that runs ``program`` after the helpers above."""
    return (sys.executable, "-u", "-c", _PRELUDE + textwrap.dedent(program))


ECHO = child("""
    shake_hands()
    while True:
        request = read()
        if "id" in request: reply(request, {})
""")
MUTE = child("""
    for line in sys.stdin: pass
""")
EXITS = child("""
    print("first line", file=sys.stderr); print("\\x1b[31mno config\\x1b[0m", file=sys.stderr)
    sys.exit(3)
""")
