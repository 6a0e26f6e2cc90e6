"""The engine: connections to runtimes as threads and bytes. It knows no verb of the API and no asyncio.

From top to bottom: `actor` (one connection), `reader`, `outbox` (with `lane` and `undo`) and `server_requests` (its
parts), `router` with `subscriptions` (pure state: which frame goes where), `mailbox` with `backlog`, `workers` with
`threads`, `reply`, `wire` and `heads` (bytes to frames), `recent` (the newest bytes, for reports), `waiting` and `once`;
`transport/` carries the bytes, `at_exit` stops what is left at the end.
"""
