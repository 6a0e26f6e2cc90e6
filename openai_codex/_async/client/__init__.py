"""One client's connection: requests, supervision of the runtime, dispatch of its requests, waiting."""
