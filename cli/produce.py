"""`relay produce`."""

from cli.problems import Problem


def produce() -> None:
    """Not there yet."""
    raise Problem("not there yet")
