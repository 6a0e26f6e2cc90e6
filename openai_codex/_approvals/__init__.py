"""Server requests as values, the decisions and answers to them, and the table of their kinds."""
