"""Builds sdist and wheel twice and compares the bytes: once here, as `make build` does, once from a copy of what git has.

The copy has another path, other times and another umask, and nothing that git does not know.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import attrs

from openai_codex._version import __version__
from tools.artifacts.contents import problems_of
from tools.artifacts.environments import DIRECTORY, Environment, run
from tools.artifacts.interpreters import ROOT


@attrs.frozen
class Built:
    """The files that are shipped."""

    sdist: Path
    wheel: Path

    @classmethod
    def within(cls, directory: Path) -> Built:
        """Find them in a directory that has nothing else."""
        [sdist], [wheel] = directory.glob("*.tar.gz"), directory.glob("*.whl")
        return cls(sdist, wheel)


def build(source: Path, target: Path, *kinds: str) -> None:
    """Build with the backend that pyproject.toml pins; without kinds the sdist, and of it the wheel."""
    shutil.rmtree(target, ignore_errors=True)
    env = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    run(sys.executable, "-m", "build", "--outdir", target, *kinds, source, env=env)


def check_builds() -> Built:
    """Build what is shipped into ``dist`` and check it.

    Raises:
        AssertionError: It is not as it has to be. The text says what is wrong.
        CommandError: A command failed, such as ``twine check``.
    """
    build(ROOT, ROOT / "dist")
    built = Built.within(ROOT / "dist")
    problems = problems_of(built.wheel, __version__)
    assert not problems, "; ".join(problems)
    with tempfile.TemporaryDirectory() as directory:
        again = Path(directory)
        copy_sources(again / "a copy")
        build(again / "a copy", again / "both")
        build(again / "a copy", again / "wheel", "--wheel")  # of the sources, not of the sdist
        both = Built.within(again / "both")
        assert digest(both.sdist) == digest(built.sdist), "two builds gave two sdists"
        assert digest(both.wheel) == digest(built.wheel), "two builds gave two wheels"
        [direct] = (again / "wheel").iterdir()
        assert digest(direct) == digest(built.wheel), "the sdist gives another wheel than the sources"
    _check_metadata(built)
    return built


def copy_sources(target: Path) -> None:
    """Copy the files that git has, as they are now, with a strict umask and the time of now."""
    before = os.umask(0o077)
    try:
        for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0"):
            if name and (ROOT / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target / name)
    finally:
        os.umask(before)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_metadata(built: Built) -> None:
    # In an environment of its own: twine brings more packages than all other development tools, for uploads.
    tools = Environment(DIRECTORY / "twine")
    if not tools.program("twine").is_file():
        tools = Environment.make("twine", Path(sys.executable))
        tools.install("twine")
    run(tools.program("twine"), "check", "--strict", built.sdist, built.wheel)
