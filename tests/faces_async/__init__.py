"""Tests of the faces on the real runtime. The async ones are written, the sync ones are derived from them."""
