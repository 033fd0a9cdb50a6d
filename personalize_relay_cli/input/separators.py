"""What separates the cells of a CSV file: commas, and what else spreadsheets write."""

import re

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""The likeliest first, each with its name."""
_QUOTED = re.compile(r'"[^"]*"?')


def separator_of(header: str) -> str:
    """The one that is most often in the header line, outside of quotes; a comma where there is none."""
    bare = _QUOTED.sub("", header)
    return max(SEPARATORS, key=bare.count)
