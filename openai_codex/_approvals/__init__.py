"""What the runtime asks the program, and what the program may answer. Pure values and tables."""
