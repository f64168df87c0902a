"""Pieces of man pages, in the macros of man(7)."""

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


def head(name: str, section: int, date: str, source: str, comment: str) -> list[str]:
    """Return the lines that begin a page."""
    manual = {1: "User Commands", 5: "File Formats"}[section]
    return [
        f'.\\" {comment}',
        f'.TH {escape(name.upper())} {section} "{date}" "{escape(source)}" "{manual}"',
        ".nh",  # no hyphens within words: names of options and units must stay searchable
        ".ad l",
    ]


def alias(page: str, section: int) -> str:
    """Return a page that is another one under a further name."""
    return f".so man{section}/{page}.{section}\n"


def usage(name: str, pieces: str) -> str:
    """Return a command line's form."""
    return f"\\fB{escape(name)}\\fR {escape(pieces)}"


def parameters(items: Iterable[tuple[str, str]]) -> list[str]:
    """Return options or arguments, each with its help."""
    lines = []
    for name, text in items:
        lines += [".TP", names(name), escape(" ".join(text.split()))]
    return lines


def names(text: str) -> str:
    """Return `-n, --lines N` with what is typed as it stands in bold, the rest in italics."""
    words = []
    for word in text.split(" "):
        bare = word.rstrip(",")
        face = "B" if word.startswith("-") else "R" if word == "/" else "I"
        words.append(f"\\f{face}{escape(bare)}\\fR{word[len(bare) :]}")
    return " ".join(words)


def tagged(items: Iterable[tuple[str, str]]) -> list[str]:
    """Return names in bold, each with its text."""
    lines = []
    for name, text in items:
        lines += [".TP", f"\\fB{escape(name)}\\fR", escape(text)]
    return lines


def paragraphs(text: str) -> list[str]:
    """Return a text whose paragraphs are set apart by empty lines."""
    lines: list[str] = []
    for paragraph in text.partition("\f")[0].strip().split("\n\n"):
        lines += [".PP"] if lines else []
        lines.append(escape(" ".join(paragraph.split())))
    return lines


def examples(items: Iterable[tuple[str, str]]) -> list[str]:
    """Return purposes, each with its command line."""
    lines: list[str] = []
    for purpose, line in items:
        lines += [".PP"] if lines else []
        lines += [escape(purpose), ".PP", ".RS 4", ".nf", escape(line), ".fi", ".RE"]
    return lines


def see_also(pages: Iterable[tuple[str, int]]) -> list[str]:
    """Return the section that refers to other pages."""
    *others, last = (f".BR {escape(name)} ({section})" for name, section in pages)
    return [".SH SEE ALSO", *(f"{page}," for page in others), last]
