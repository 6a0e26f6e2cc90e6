"""Tests of the modules of this name, on both faces."""
