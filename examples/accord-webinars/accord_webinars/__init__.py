"""What Accord learns about webinars, all of it found by the entry points in `pyproject.toml`."""
