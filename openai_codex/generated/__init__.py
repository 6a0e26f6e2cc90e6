"""The package `openai_codex.generated` of the published SDK: `v2_all` has the protocol types."""
