"""Text as roff, the language of man pages: groff_man(7)."""

from collections.abc import Iterable

#: What groff would take for something else: hyphens, quotes, accents (groff_char(7)).
_ROFF = {
    "\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti",
}  # fmt: skip


def escape(text: str) -> str:
    """Return text as roff that prints exactly this text.

    >>> print(escape("-n 'a'"))
    \\-n \\(aqa\\(aq
    """
    escaped = "".join(
        _ROFF.get(char, char) if char.isascii() else f"\\[u{ord(char):04X}]" for char in text
    )
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def tagged(items: Iterable[tuple[str, str]]) -> list[str]:
    """Return a list of names with a text for each."""
    lines = []
    for name, text in items:
        lines += [".TP", f"\\fB{escape(name)}\\fR", escape(text)]
    return lines


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, which empty lines part."""
    lines = []
    for paragraph in text.partition("\f")[0].strip().split("\n\n"):
        lines += [".PP", escape(" ".join(paragraph.split()))]
    return lines
