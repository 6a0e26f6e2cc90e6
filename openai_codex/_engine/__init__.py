"""The engine: connections to runtimes as threads and bytes. It knows no verb of the API and no asyncio.

From top to bottom: `actor` (one connection), `reader`, `outbox` and `server_requests` (its parts), `router` with
`subscriptions` (pure state: which frame goes where), `mailbox` with `backlog`, `workers` with `threads`, `reply`,
`wire` (bytes to frames), `waiting`; `transport/` carries the bytes, `at_exit` stops what is left at the end.
"""
