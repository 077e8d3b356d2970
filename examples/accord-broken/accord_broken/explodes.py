"""Raises while it is imported."""

raise RuntimeError("the import of accord_broken.explodes failed on purpose")
