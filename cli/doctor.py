"""`relay doctor`."""

from cli.problems import Problem


def doctor() -> None:
    """Not there yet."""
    raise Problem("not there yet")
