"""The events of a file, one at a time."""
