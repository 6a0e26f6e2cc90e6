"""Derive the sync face from the async one, file by file, token by token.

    python -m tools.unasync            rewrite openai_codex/_sync and the derived tests
    python -m tools.unasync --check    exit with 1 and name the files that differ from what would be written

It rewrites tokens, so strings and comments change only by the rules in `WORDS`. It fails on a rule that is never used.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
TREES = {
    ROOT / "openai_codex/_async": ROOT / "openai_codex/_sync",
    ROOT / "tests/faces_async": ROOT / "tests/faces_sync",
}
# Written by hand: how each face waits, and the event loop, which only the async face has.
BY_HAND = {"_wait.py", "_loop.py"}

# A name is replaced as a whole. An empty replacement drops the token and the space behind it.
NAMES = {
    "async": "",
    "await": "",
    "_async": "_sync",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
}
# In tests only, because these are ordinary words. The test kit has an awaitable and a blocking form of each.
TEST_NAMES = {
    "faces_async": "faces_sync",
    "aclosing": "closing",
    "asynccontextmanager": "contextmanager",
    "answered": "wait_answer",
    "gone": "wait_gone",
    "received": "wait_for_requests",
    "reached": "wait_reached",
    "idle": "wait_idle",
}
# Names with this prefix lose it: AsyncCodex → Codex.
PREFIX = re.compile(r"\bAsync(?=[A-Z])")
AWAITED = re.compile(r"\{[^}]*\bawait\b")
# In strings and comments.
WORDS = {re.compile(r"\basync with\b"): "with"}

# A method that only the async face has: `contextlib.aclosing` calls it, and `contextlib.closing` calls `close`.
ASYNC_ONLY = re.compile(r"    async def aclose\(self\).*?\n\n(?=    |\n)", re.DOTALL)

HEADER = "# Derived from {source} by `python -m tools.unasync`; do not edit.\n"


class Deriver:
    """Rewrites sources and counts how often each rule was used."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self._names = NAMES

    def derive(self, path: Path) -> str:
        """Return the sync twin of an async module, not yet formatted."""
        source, count = ASYNC_ONLY.subn("", path.read_text())
        self.used[ASYNC_ONLY.pattern] += count
        self._names = NAMES | (TEST_NAMES if "tests" in path.parts else {})
        lines = source.splitlines(keepends=True)
        for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
            self._rewrite(token, lines)
        return HEADER.format(source=path.relative_to(ROOT).as_posix()) + "".join(lines)

    def _rewrite(self, token: tokenize.TokenInfo, lines: list[str]) -> None:
        if token.type == tokenize.NAME:
            new = self._name(token.string)
        elif token.type in {tokenize.STRING, tokenize.COMMENT, FSTRING_MIDDLE}:
            new = self._text(token.string)
        else:
            return
        if new != token.string:
            _replace(lines, token, new)

    def _name(self, name: str) -> str:
        if name in self._names:
            self.used[name] += 1
            return self._names[name]
        return self._without_prefix(name)

    def _without_prefix(self, text: str) -> str:
        text, count = PREFIX.subn("", text)
        self.used[PREFIX.pattern] += count
        return text

    def _text(self, text: str) -> str:
        # Only Python 3.12 and later split f-strings into tokens, so an `await` inside would be derived differently.
        if text[:1] in "fF" and AWAITED.search(text):
            raise SystemExit(f"await inside of an f-string: {text}")
        for pattern, new in WORDS.items():
            text, count = pattern.subn(new, text)
            self.used[pattern.pattern] += count
        return self._without_prefix(text)

    def unused(self) -> list[str]:
        """Return the rules that were never used."""
        rules = (*NAMES, *TEST_NAMES, PREFIX.pattern, ASYNC_ONLY.pattern, *(pattern.pattern for pattern in WORDS))
        return [rule for rule in rules if not self.used[rule]]


# Python 3.12 and later split f-strings into tokens.
FSTRING_MIDDLE = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)


def _replace(lines: list[str], token: tokenize.TokenInfo, new: str) -> None:
    """Replace a token by ``new``. Tokens are replaced from the last to the first, so earlier positions stay valid."""
    (first, start), (last, end) = token.start, token.end
    tail = lines[last - 1][end:]
    head = lines[first - 1][:start]
    lines[first - 1 : last] = [head + new + (tail if new else tail.removeprefix(" "))]


def derived() -> tuple[dict[Path, str], list[str]]:
    """Return the expected text of every derived file, and the rules that were never used."""
    deriver = Deriver()
    files = {
        (twin := target / path.relative_to(source)): _formatted(deriver.derive(path), twin)
        for source, target in TREES.items()
        for path in sorted(source.rglob("*.py"))
        if path.name not in BY_HAND
    }
    return files, deriver.unused()


def _formatted(text: str, path: Path) -> str:
    """Format like the rest of the project: without the dropped words, lines break and imports sort differently."""
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--select", "I", "--fix", "--quiet", "--exit-zero"], ["format", "--quiet"]):
        command = [*ruff, *arguments, "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def _stray(files: dict[Path, str]) -> list[Path]:
    """Return derived files whose source was removed."""
    present = (path for target in TREES.values() for path in target.rglob("*.py"))
    return [path for path in present if path not in files and path.name not in BY_HAND]


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    files, unused = derived()
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    wrong = [f"unused rule: {rule}" for rule in unused]
    if "--check" in arguments:
        wrong += [f"not fresh: {path.relative_to(ROOT)}" for path in (*stale, *_stray(files))]
    else:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
        for path in _stray(files):
            path.unlink()
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
