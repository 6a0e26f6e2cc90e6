"""What is shipped: the rules for a wheel, the interpreters, and the hook of PyInstaller. The rest runs by `make artifacts`."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from openai_codex import _pyinstaller
from tests.test_layers import FILES, PACKAGE
from tools.artifacts import __main__, interpreters
from tools.artifacts.contents import DATA, NEEDED, problems_of, problems_of_names
from tools.artifacts.installed import sentence
from tools.artifacts.interpreters import ROOT, interpreter, supported

INFO = "openai_codex-1.0.dist-info"
WHOLE = (*NEEDED, *DATA, f"{INFO}/METADATA", f"{INFO}/licenses/LICENSE")
TYPED = "openai_codex/py.typed"


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (WHOLE, None),
        ((*WHOLE, "tests/test_x.py"), f"expected openai_codex/ and {INFO}/ at its top, got .*'tests'"),
        ((*WHOLE, "openai_codex/x.pyc"), r"openai_codex/x.pyc is neither a module nor known data"),
        ([name for name in WHOLE if name != TYPED], f"{TYPED} is missing"),
    ],
)
def test_a_wheel_has_the_package_and_nothing_else(names: list[str], problem: str | None) -> None:
    problems = list(problems_of_names(names, INFO))
    assert len(problems) == (problem is not None)
    assert problem is None or re.match(problem, problems[0])


def test_a_wheel_declares_its_program_and_its_hook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        for name in WHOLE:
            wheel.writestr(name, "")
        wheel.writestr(f"{INFO}/entry_points.txt", "[console_scripts]\nx = y:z\n")
    assert problems_of(tmp_path / "a.whl", "1.0") == ["no entry point [pyinstaller40]"]


def test_the_supported_versions_are_the_same_everywhere() -> None:
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("PYTHONS")]
    assert tuple(line.split()[2:]) == supported()
    assert f'requires-python = ">={supported()[0]}"' in (ROOT / "pyproject.toml").read_text()


def test_an_interpreter_is_found_by_its_version_or_its_lack_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = "{}.{}".format(*sys.version_info)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(
        interpreters.shutil, "which", lambda name: sys.executable if name == f"python{version}" else None
    )
    assert interpreter(version) == Path(sys.executable)
    monkeypatch.setattr(interpreters.shutil, "which", lambda _: sys.executable)
    assert interpreter("3.99") is None
    done = subprocess.run(
        [sys.executable, "-m", "tools.artifacts.interpreters", "3.99"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.99: no interpreter found; install one" in done.stderr


def test_each_part_is_checked_and_one_that_fails_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(part: str) -> str:
        if part == "3.99":
            raise LookupError("no interpreter")
        return "as it has to be"

    monkeypatch.setattr(__main__, "check", check)
    assert __main__.main(["3.99", "build"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["3.99", "FAILED"], ["build", "ok"]]
    assert __main__.main(["build"]) == 0


def test_the_readme_has_the_sizes_that_the_tool_measures() -> None:
    said = re.escape(sentence({"openai-codex": 0, "openai-codex-cli-bin": 0, "attrs": 0})).replace(r"0\.0", r"\d+\.\d")
    assert re.search(said.replace(r"\ 0\ ", r"\ \d+\ ").replace(r"\ ", r"\s+"), (ROOT / "README.md").read_text())


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the hook as PyInstaller does, which is not installed here."""
    given = ModuleType("PyInstaller.utils.hooks")
    names = [".".join(("openai_codex", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in FILES]
    modules = [name.removesuffix(".__init__") for name in names]

    def collect_submodules(_package: str, filter: Any) -> list[str]:
        return [name for name in modules if filter(name)]

    given.collect_submodules = collect_submodules  # type: ignore[attr-defined]  # a module made here
    given.collect_data_files = lambda package: [(package, package)]  # type: ignore[attr-defined]  # as above
    monkeypatch.setitem(sys.modules, "PyInstaller", ModuleType("PyInstaller"))
    monkeypatch.setitem(sys.modules, "PyInstaller.utils", ModuleType("PyInstaller.utils"))
    monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", given)
    [directory] = _pyinstaller.get_hook_dirs()
    return runpy.run_path(str(Path(directory) / "hook-openai_codex.py"))


def test_pyinstaller_finds_the_hook() -> None:
    [declared] = [each for each in entry_points(group="pyinstaller40") if each.value.startswith("openai_codex.")]
    assert (declared.name, declared.load()) == ("hook-dirs", _pyinstaller.get_hook_dirs)


def test_a_frozen_program_has_the_runtime_and_every_module_that_is_loaded_by_name(hook: dict[str, Any]) -> None:
    assert hook["datas"] == [("openai_codex", "openai_codex"), ("codex_cli_bin", "codex_cli_bin")]
    collected = set(hook["hiddenimports"])
    assert {
        "codex_cli_bin",
        "openai_codex",
        "openai_codex._runtime.report",
        "openai_codex._sync.low_level",
    } <= collected
    assert [name for name in collected if "pytest" in name or "_pyinstaller" in name] == []
    # Libraries of the program's own types, which it imports itself.
    of_programs = {"msgspec", "pydantic", "pydantic_core.core_schema"}
    assert loaded_by_name() - collected == of_programs


def loaded_by_name() -> set[str]:
    """Return the names in calls of `load`, as far as they are written out."""
    calls = (node for path in FILES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    loads = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "load" and call.args)
    return {call.args[0].value for call in loads if isinstance(call.args[0], ast.Constant)}
