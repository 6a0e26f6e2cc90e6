"""What is different about the executor of a Dask client. It imports nothing of Dask, which is not installed everywhere.

A future of it is cancelled also if its task runs, which goes on then; a task whose worker has died is carried out again, by
another worker, with the same arguments; and equal calls are one call unless they are said to be impure.
"""

from __future__ import annotations

from typing import Any


def is_client_executor(executor: object) -> bool:
    """Return whether an executor is what ``dask.distributed.Client.get_executor`` returns."""
    return any(each.__module__ == "distributed.cfexecutor" for each in type(executor).__mro__)


def is_asynchronous(executor: object) -> bool:
    """Return whether an executor is that of a client made with ``asynchronous=True``.

    Such a client returns coroutines where a pool waits for nothing: a job would not be cancelled, nor the executor shut down.
    """
    client = getattr(executor, "_client", None)
    return is_client_executor(executor) and bool(getattr(client, "_asynchronous", False))


def arguments(executor: object) -> dict[str, Any]:
    """Return what ``submit`` has to be called with in addition, however the executor was made."""
    return {"pure": False} if is_client_executor(executor) else {}


def is_own(error: BaseException) -> bool:
    """Return whether an error is one of Dask itself, such as ``KilledWorker``, and not of the task."""
    return type(error).__module__.partition(".")[0] == "distributed"
