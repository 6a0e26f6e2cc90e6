"""The two environments: the published SDK, and ours, each with all packages. Both are kept for the next run.

Each is installed with pip as a user would. In ours the SDK comes first, and must still be there at the end.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import venv
from typing import TYPE_CHECKING

import attrs

from tools.bench.subjects import PUBLISHED, ROOT
from tools.compat.packages import PACKAGES, Package

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FOLDER = ROOT / ".compat"

INSTALL_TIMEOUT = 900.0
"""How long one call of pip may take, in seconds."""

_ORIGIN = """
import importlib.metadata as m, json
found = m.distribution("openai-codex")
print(json.dumps([found.version, json.loads(found.read_text("direct_url.json") or "{}").get("url", "index")]))
"""


class InstallError(Exception):
    """pip failed, or replaced the SDK. The text is what pip wrote."""


@attrs.frozen
class Environment:
    """One environment.

    Attributes:
        name: ``published`` or ``ours``.
        sdk: What pip installs first.
        path: Where it is.
    """

    name: str
    sdk: tuple[str, ...]
    path: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.path / "bin" / "python")

    def pip(self, *arguments: str) -> str:
        """Run pip in it, and return what pip wrote.

        Raises:
            InstallError: pip failed.
        """
        command = [self.python, "-m", "pip", "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
        if done.returncode:
            raise InstallError(f"{' '.join(command)}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def sdk_origin(self) -> tuple[str, str]:
        """Return the version of the SDK in it, and the URL it came from, or ``index``."""
        done = subprocess.run([self.python, "-I", "-c", _ORIGIN], check=True, capture_output=True, timeout=60)
        version, url = json.loads(done.stdout)
        return version, url


PEER = Environment("published", (PUBLISHED,), FOLDER / "published")
OURS = Environment("ours", ("--editable", str(ROOT)), FOLDER / "ours")


def installations(packages: Sequence[Package]) -> Iterator[tuple[str, ...]]:
    """Yield the arguments of each call of ``pip install``.

    A package whose range excludes 0.163.0 would replace either SDK by an older one. It is installed on its own, after what
    else it needs.
    """
    usual = [package.requirement for package in packages if not package.is_alone]
    if usual:
        yield tuple(usual)
    for package in packages:
        if package.is_alone and package.others:
            yield package.others
        if package.is_alone:
            yield ("--no-deps", package.requirement.replace("[codex]", ""))


def prepare(environment: Environment) -> None:
    """Install the environment, unless it is there for the same table.

    Raises:
        InstallError: pip failed, or replaced the SDK.
    """
    done = environment.path / ".complete"
    wanted = _fingerprint(environment)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    venv.create(environment.path, clear=True, with_pip=True)
    environment.pip("install", "--quiet", *environment.sdk)
    before = environment.sdk_origin()
    for arguments in installations(PACKAGES):
        environment.pip("install", "--quiet", *arguments)
        if environment.sdk_origin() != before:
            raise InstallError(f"pip install {' '.join(arguments)} replaced {before} by {environment.sdk_origin()}")
    done.write_text(wanted, encoding="utf-8")


def _fingerprint(environment: Environment) -> str:
    metadata = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "openai_codex" / "_version.py").read_bytes()
    return repr((environment.sdk, PACKAGES, hashlib.sha256(metadata).hexdigest()))


def kept(environment: Environment, package: Package) -> str:
    """Ask pip, without installing anything, what a plain ``pip install`` of a package would do to the SDK in it.

    Returns:
        ``kept``, or ``replaced by VERSION``.
    """
    report = json.loads(environment.pip("install", "--quiet", "--dry-run", "--report", "-", package.requirement))
    for install in report["install"]:
        if install["metadata"]["name"] == "openai-codex":
            return f"replaced by {install['metadata']['version']}"
    return "kept"
