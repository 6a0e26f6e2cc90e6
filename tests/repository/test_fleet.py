"""A round of kills at random loses no job and sends no prompt twice."""

from __future__ import annotations

import random

import pytest

from tools.fleet.__main__ import Round


@pytest.mark.parametrize("workers", [False, True], ids=["threads", "workers"])
def test_a_round_of_kills_loses_nothing(workers: bool) -> None:
    one = Round(0, jobs=3, kills=2, workers=workers)
    one.run(random.Random(1))
    assert one.problems == []
    assert one.killed.total() <= 2
