"""What a type checker makes of the protocol types: the params class alone decides the type of the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import Check, mypy, pyright

ROOT = Path(__file__).parents[2]
USE = Path(__file__).with_name("typed_use.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_types_are_right(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_checkers_would_see_a_wrong_type(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE.replace(", ThreadTurnsListResponse)", ", LogoutAccountResponse)"))
    done = check(tmp_path)
    assert done.returncode == 1
    assert "assert_type" in done.stdout or "assert-type" in done.stdout
