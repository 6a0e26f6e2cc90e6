"""The programs that are measured, each run in a fresh process: `python -m programs.MODULE FUNCTION SIZES`.

The ones that import `openai_codex` use only what both packages have, so that the same program is run on either; the
floors do without. A program prints one line of JSON: its measures.
"""
