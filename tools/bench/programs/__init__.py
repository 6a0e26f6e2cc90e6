"""The measured programs, each run in a fresh process: `python -m programs.MODULE FUNCTION SIZES`.

Those that import `openai_codex` use only names that both packages have, so that the same program runs with either. The
floors import neither. A program prints its measures as one line of JSON.
"""
