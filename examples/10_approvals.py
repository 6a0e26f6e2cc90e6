"""Ask the user at the terminal before the model runs a command or writes a file."""

from threading import Lock

from openai_codex import ApprovalDecision, ApprovalRequest, Codex, CommandApproval, FileChangeApproval

terminal = Lock()  # handlers run concurrently, each on its own thread: ask one question at a time


def approve(request: ApprovalRequest) -> ApprovalDecision | bool:
    """Accept or decline; with AsyncCodex this may be a coroutine function."""
    with terminal:
        if request.cancelled:
            return False  # the turn ended while this request waited for the terminal
        match request:
            case CommandApproval():
                print(f"In {request.cwd}, {request.reason}\n  {request.command}")
            case FileChangeApproval(diff=str(diff)):
                print(diff)
            case _:
                return False  # the model learns that it was declined, and the turn goes on
        answer = input("[y]es, yes for this [s]ession, or [n]o? ")
    return ApprovalDecision.accept_for_session() if answer == "s" else answer == "y"


with Codex(on_approval=approve) as codex:
    thread = codex.thread_start(approval_policy="on-request", sandbox="read-only")
    print(thread.run("Make a file named made, and remove all others.").final_response)
