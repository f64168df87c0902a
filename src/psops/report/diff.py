"""What an edit changes in a file, as a unified diff."""

import difflib
import re

from psops.report.text import clean, paint

_STYLES = {"+": "good", "-": "bad", "@": "dim"}


def unified_diff(before: str, after: str, path: str) -> str:
    """Return a unified diff of two texts, "" if they are equal."""
    if before == after:
        return ""
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"{path} (before)", f"{path} (after)")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def for_terminal(text: str, color: bool) -> str:
    """Return a diff with everything cleaned that a terminal would act on, and coloured."""
    lines = (clean(line.removesuffix("\r")) for line in text.split("\n"))
    return "\n".join(paint(line, _STYLES.get(line[:1], ""), color) for line in lines)
