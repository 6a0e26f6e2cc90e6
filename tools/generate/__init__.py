"""Write `openai_codex/_protocol/` from the schema that the pinned runtime prints of itself.

    python -m tools.generate            rewrite the generated files
    python -m tools.generate --check    exit with 1 and name the files that are not what would be written

One duty per module: `runtime` asks the binary; `schema` knows JSON Schema and methods; `tables` holds the exceptions to
all rules, each with its reason, `naming` the rules of names; `roles` says what a definition is for, `docs` what is
written about it, `shapes` what a property is in Python; `build` makes declarations of definitions, which are values of
`model`; `domains` decides which module owns what; `render` and `method_tables` write it down; `package` puts the files
together.
"""
