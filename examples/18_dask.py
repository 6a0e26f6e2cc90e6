"""Carry out jobs on a Dask cluster: each worker process has one runtime, for as many jobs as it has threads."""

from dask.distributed import Client

from openai_codex import CodexPool, Job


def main() -> None:
    """Use a cluster of this machine; `Client("tcp://…")` uses one that runs."""
    jobs = [Job(prompts=[f"Review {name}.py."], key=name) for name in ("parser", "writer", "server")]
    with (
        Client(n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address=None) as client,
        CodexPool(executor=client.get_executor(pure=False)) as pool,  # impure: equal jobs are carried out twice
    ):
        for result in pool.map(jobs):
            print(result.key, result.status, result.final_response)


if __name__ == "__main__":  # worker processes import this module
    main()
