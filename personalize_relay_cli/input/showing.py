"""How what a producer wrote is shown, where that is asked for."""

MOST_SHOWN = 1000
"""Characters of a payload or a name."""


def shown(payload: bytes | str) -> str:
    """A payload or a name as a terminal may show it: nothing in it moves the cursor, and it is cut if it is long."""
    text = payload if isinstance(payload, str) else payload[: 4 * MOST_SHOWN].decode(errors="backslashreplace")
    cut = text[:MOST_SHOWN] + "..." * (len(text) > MOST_SHOWN)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)
