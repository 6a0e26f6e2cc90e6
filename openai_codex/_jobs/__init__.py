"""Jobs: conversations as values that any process can carry out, and what a pool of them needs beside waiting."""
