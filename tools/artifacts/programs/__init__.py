"""Programs that run where only the package is, each by its path."""
