"""A round of kills at random loses no job and sends no prompt twice."""

from __future__ import annotations

import random

import pytest

from tools.fleet.__main__ import EXECUTORS, Round


@pytest.mark.timeout(300)  # a round may take two minutes
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_round_of_kills_loses_nothing(executor: str) -> None:
    one = Round(0, jobs=3, kills=2, executor=executor)
    one.run(random.Random(1))
    assert one.problems == []
    assert one.killed.total() <= 2
