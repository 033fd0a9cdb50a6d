"""`relay validate`."""

from cli.problems import Problem


def validate() -> None:
    """Not there yet."""
    raise Problem("not there yet")
