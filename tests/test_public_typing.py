"""What a type checker makes of the public names, in both faces; a mistake that it no longer sees is an error, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import Check, mypy, pyright

USE = Path(__file__).with_name("public_use.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_types_are_those_that_a_program_expects(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
