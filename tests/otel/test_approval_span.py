"""Who has answered a server request, and how: read from the answer itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from openai_codex._otel.approval_span import outcome_of


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, ("runtime", "withdrawn")),
        (("handler", b'{"id":1,"result":{"decision":"accept"}}\n'), ("handler", "accept")),
        (("answer", b'{"id":1,"result":{"action":"cancel"}}\n'), ("answer", "cancel")),
        (
            ("handler", b'{"id":1,"result":{"decision":{"acceptWithExecpolicyAmendment":{}}}}\n'),
            ("handler", "acceptWithExecpolicyAmendment"),
        ),
        (("handler", b'{"id":1,"result":{"answers":{}}}\n'), ("handler", "answered")),
        (("handler", b'{"id":1,"result":{"decision":{}}}\n'), ("handler", "answered")),
        (("handler", b'{"id":1,"result":null}\n'), ("handler", "answered")),
        (("missing", b'{"id":1,"error":{"code":-32601,"message":"no"}}\n'), ("missing", "refused")),
    ],
)
def test_the_outcome_of_a_server_request(outcome: Any, expected: tuple[str, str]) -> None:
    assert outcome_of(cast("Any", SimpleNamespace(outcome=outcome))) == expected
