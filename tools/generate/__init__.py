"""Generates `openai_codex/_protocol/` from the schema of the pinned runtime.

    python -m tools.generate            ask the runtime, rewrite the vendored schema and the generated files
    python -m tools.generate --check    exit with 1 and name the files that are out of date

To move to another version of the runtime:

1. Change the pin of `openai-codex-cli-bin` in `pyproject.toml` and `constraints.txt`, and install it: `make demo`.
2. Run `make generate`. It stops with a `LookupError` at whatever no rule covers, and at each exception that is no longer
   used. Decide in `tables` and `domains`, and run it again.
3. Review the diff of `runtime-schema.json`: it shows what changed in the protocol.
4. Run `make check test`, and add what users will notice to the changelog.

One duty per module: `runtime` runs the binary; `vendored` makes and reads `runtime-schema.json`; `schema` knows JSON
Schema and methods; `tables` holds the exceptions to all rules, each with its reason, and `naming` the rules for
names; `roles` finds the use of each definition, `docs` its texts, `shapes` the Python type of a property; `build`
turns definitions into declarations, which are values of `model`; `domains` assigns them to modules; `render` and
`method_tables` write the source; `package` assembles the files.
"""
