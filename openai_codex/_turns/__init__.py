"""What a turn receives and what it returns: inputs, options, results. Pure values; no connection is known here."""
