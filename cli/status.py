"""`relay status`."""

from cli.problems import Problem


def status() -> None:
    """Not there yet."""
    raise Problem("not there yet")
