"""The generator: its output is what is checked in, and it refuses what its rules do not cover."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openai_codex._codec import base
from tools.generate import __main__ as command
from tools.generate import domains, package, runtime, tables, vendored
from tools.generate.schema import Schema


@pytest.fixture(scope="module")
def wanted(schema: Schema) -> dict[str, str]:
    return package.files(schema)


def test_the_checked_in_files_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate", "--check"],
        cwd=runtime.ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_all_files_of_the_package_are_generated() -> None:
    by_hand = [path.name for path in command.TARGET.iterdir() if path.suffix and not is_generated(path)]
    assert by_hand == []


def is_generated(path: Path) -> bool:
    return path.read_text().startswith(package.MARK)


def test_every_deviation_is_named_and_put_right(tmp_path: Path, wanted: dict[str, str]) -> None:
    directory = tmp_path / "protocol"
    shutil.copytree(command.TARGET, directory)
    (directory / "turn.py").write_text(wanted["turn.py"] + "X = 1\n")
    (directory / "thread.py").unlink()
    (directory / "old_domain.py").write_text(wanted["turn.py"])
    found = command.drift(directory, wanted)
    assert found == {"old_domain.py": "stray", "thread.py": "missing", "turn.py": "drifted"}
    command.write(directory, wanted, found)
    assert command.drift(directory, wanted) == {}


def test_check_fails_and_names_the_file(monkeypatch: pytest.MonkeyPatch, capsys: Any, wanted: dict[str, str]) -> None:
    monkeypatch.setattr(
        vendored, "from_runtime", lambda: {**vendored.read(), "about": {"runtime": "0.0.0", "hash": ""}}
    )
    monkeypatch.setattr(package, "files", lambda _: {**wanted, "turn.py": "changed"})
    assert command.main(["--check"]) == 1
    complaints = capsys.readouterr().err
    assert "turn.py: drifted" in complaints
    assert "runtime-schema.json: not the schema of the installed runtime" in complaints
    assert command.main(["--wrong"]) == 2


def test_the_header_says_where_a_file_comes_from(schema: Schema, wanted: dict[str, str]) -> None:
    first = wanted["turn.py"].splitlines()[0]
    assert "python -m tools.generate" in first
    assert schema.version == runtime.VERSION
    assert schema.version in first
    assert schema.hash[:16] in first


def test_the_output_does_not_depend_on_the_run(schema: Schema, wanted: dict[str, str]) -> None:
    assert package.files(schema) == wanted


def test_the_base_module_offers_what_the_package_says() -> None:
    assert all(hasattr(base, offered) for offered in package.BY_HAND)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: line_of(d, "brandNew/method", "TurnStartParams"), "brandNew/method belongs to no domain"),
        (lambda d: line_of(d, "turn/brandNew", None), "turn/brandNew: no result"),
        (lambda d: d["v2"].update(Orphan={"type": "object"}), "Orphan; name the owners"),
        (
            lambda d: d["v2"]["Turn"]["properties"].update(superToken={"type": "string"}),
            "superToken sounds like a secret",
        ),
        (
            lambda d: d["v2"]["Turn"]["properties"].update(item_s={"type": "string"}, itemS={"type": "string"}),
            "names clash",
        ),
    ],
)
def test_what_no_rule_covers_is_refused(change: Any, complaint: str, schema: Schema) -> None:
    definitions = {"v2": copy.deepcopy(schema.definitions)}
    change(definitions)
    with pytest.raises(LookupError, match=complaint):
        package.files(Schema(vendored.merged(definitions, definitions)))


@pytest.mark.parametrize("name", ["methods", "__init__"])
def test_a_domain_takes_no_other_modules_place(name: str, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "SCALARS", name)
    with pytest.raises(LookupError, match=f"{name}: a domain cannot have the name"):
        package.files(schema)


def test_a_name_has_one_meaning(schema: Schema) -> None:
    v2 = {**schema.definitions, "Turn": {"type": "object", "properties": {"title": {"type": "string"}}}}
    worded = {"type": "object", "title": "Turn", "properties": {"title": {"type": "string", "description": "A."}}}
    assert vendored.merged({"Turn": worded, "v2": v2}, {"v2": v2})["definitions"] == v2
    for other in ({"type": "string"}, {"type": "object", "properties": {"title": {"type": "integer"}}}):
        with pytest.raises(LookupError, match="Turn: defined twice"):
            vendored.merged({"Turn": other, "v2": v2}, {"v2": v2})


def test_the_hash_is_of_both_bundles(schema: Schema) -> None:
    all_of_it = {"v2": schema.definitions}
    less = {"v2": {**schema.definitions, "Turn": {}}}
    assert vendored.merged(all_of_it, all_of_it)["about"] != vendored.merged(all_of_it, less)["about"]


def test_every_exception_that_is_never_used_is_named_and_the_files_are_written(
    schema: Schema, wanted: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    # A table of each kind: of methods, definitions, values and members.
    monkeypatch.setattr(domains, "METHODS", tables.Exceptions({**domains.METHODS, "gone/": "turn", "also/": "turn"}))
    monkeypatch.setattr(domains, "OWNED", tables.Exceptions({**domains.OWNED, "GoneType": "turn"}))
    for name in ("DELTAS", "SNAPSHOTS", "ENDS"):
        monkeypatch.setattr(tables, name, tables.chosen(*getattr(tables, name), f"gone/{name}"))
    monkeypatch.setattr(tables, "OWNERS", tables.Exceptions({**tables.OWNERS, "gone/owner": ("turn", "x")}))
    unlisted = tables.Exceptions({**tables.UNLISTED_NOTIFICATIONS, "GonePayload": "gone/unlisted"})
    monkeypatch.setattr(tables, "UNLISTED_NOTIFICATIONS", unlisted)
    monkeypatch.setattr(vendored, "PATH", tmp_path / "schema.json")
    monkeypatch.setattr(command, "TARGET", tmp_path)
    assert command.main([]) == 1
    named = capsys.readouterr().err
    gone = ("gone/", "also/", "GoneType", "gone/DELTAS", "gone/SNAPSHOTS", "gone/ENDS", "gone/owner", "GonePayload")
    assert [entry for entry in gone if f"{entry!r} is never used" not in named] == []
    assert len(named.splitlines()) == len(gone)
    assert {path.name: path.read_text() for path in tmp_path.glob("*.py")} == wanted


def test_all_that_no_rule_covers_is_named_at_once(
    schema: Schema, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    definitions = {"v2": copy.deepcopy(schema.definitions)}
    for name in ("brandNew/one", "brandNew/two", "turn/brandNew"):
        line_of(definitions, name, "TurnStartParams" if name.startswith("brand") else None)
    monkeypatch.setattr(vendored, "PATH", tmp_path / "schema.json")
    monkeypatch.setattr(vendored, "from_runtime", lambda: vendored.merged(definitions, definitions))
    assert command.main([]) == command.UNDECIDED
    _, *lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["brandNew/one", "brandNew/two", "turn/brandNew:"]


def line_of(definitions: dict[str, Any], method: str, params: str | None) -> None:
    """Add a request to the runtime's table."""
    reference = {"$ref": f"#/definitions/{params}"} if params else {"type": "null"}
    line = {"properties": {"method": {"enum": [method]}, "params": reference}}
    definitions["v2"]["ClientRequest"]["oneOf"].append(line)
