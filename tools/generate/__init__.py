"""Generates `openai_codex/_protocol/` from the schema of the pinned runtime.

    python -m tools.generate            ask the runtime, rewrite the vendored schema and the generated files
    python -m tools.generate --check    exit with 1 and name the files that are out of date

To move to another version of the runtime:

1. Run `make runtime VERSION=…`: it changes the pin, generates, shows what changed in the protocol and runs the tests.
2. Generating stops with a `LookupError` that lists what no rule covers, and reports at its end all exceptions that are no
   longer used. Decide in `tables` and `domains`, and run `make generate`.
3. Run `make check test`, and add what users will notice to the changelog.

One duty per module: `runtime` runs the binary; `vendored` makes and reads `runtime-schema.json`; `schema` knows JSON
Schema and methods; `tables` holds the exceptions to all rules, each with its reason, and `naming` the rules for
names; `roles` finds the use of each definition, `docs` its texts, `shapes` the Python type of a property; `build`
turns definitions into declarations, which are values of `model`; `domains` assigns them to modules; `render` and
`method_tables` write the source; `package` assembles the files.
"""
