"""What a program answers when the runtime asks: decisions and answers, and the protocol response that each becomes.

    answers     decisions about approvals, answers to forms, and what handlers may return
    handlers    what a handler is, and what is refused as one
    responses   how an answer becomes the protocol's response

Pure: nothing here knows a connection. What cannot become a response is a `ConfigError`, never a guess.
"""

from __future__ import annotations

from openai_codex.decisions.answers import Answer as Answer
from openai_codex.decisions.answers import ApprovalAnswer as ApprovalAnswer
from openai_codex.decisions.answers import ApprovalDecision as ApprovalDecision
from openai_codex.decisions.answers import ElicitationAnswer as ElicitationAnswer
from openai_codex.decisions.answers import accept_all as accept_all
from openai_codex.decisions.responses import RESPONDERS as RESPONDERS
from openai_codex.decisions.responses import approval_response as approval_response
from openai_codex.decisions.responses import respond as respond
from openai_codex.decisions.responses import response_type as response_type
