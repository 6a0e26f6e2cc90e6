"""The actor runtime: threads and bytes. It knows no verb of the API."""
