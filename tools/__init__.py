"""What builds and measures the package; none of it is shipped."""
