"""The text of OpenSSH client configuration files: from lines to blocks of settings.

Authority is ssh_config(5) and, where that is silent, readconf.c of OpenSSH. Keywords that
psops does not use are skipped, unknown ones too: they may be newer than this module.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from psops import paths
from psops.errors import SshConfigError
from psops.sshconfig.tokens import expand_home
from psops.sshconfig.values import COLLECTED, KEYWORDS

SYSTEM_DIRECTORY = Path("/etc/ssh")
DEEPEST = 16  # files that include each other

Test = Callable[[str], object]
#: Name of a criterion, whether it is negated, and the test for those with a pattern list.
Criterion = tuple[str, bool, Test | None]

#: Criteria of `Match` that the reader tests itself; others are left to ssh.
TESTED = frozenset({"host", "originalhost", "user", "localuser"})

_SPACE = " \t\r\n"
_END_OF_WORD = r'[ \t\r\n"=]'


class Block:
    """What follows a `Host` or `Match` line; `host` tests a name, `criteria` are of `Match`.

    A step is either settings, of which the first wins, or the blocks of an included file.
    """

    __slots__ = ("criteria", "host", "place", "steps")

    def __init__(
        self, place: str, *, host: Test | None = None, criteria: tuple[Criterion, ...] = ()
    ) -> None:
        self.place = place
        self.host = host
        self.criteria = criteria
        self.steps: list[dict[str, Any] | list[Block]] = []


def parse_file(
    path: Path, home: Path, *, of_user: bool, check: bool, depth: int = 0
) -> list[Block]:
    """Return the blocks of a file; with `check`, others must not be able to write it."""
    if depth > DEEPEST:
        raise SshConfigError(f"{path}: included more than {DEEPEST} files deep")
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if check and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022):
                raise SshConfigError(f"{path}: bad owner or permissions: others can write it")
            text = paths.read_whole(stream).decode("utf-8", errors="surrogateescape")
    except IsADirectoryError:
        text = ""  # as in ssh, for which it is a file without lines
    return _Reader(path, home, of_user, depth).blocks(text)


class _Reader:
    """One file being read."""

    def __init__(self, path: Path, home: Path, of_user: bool, depth: int) -> None:
        self.path = path
        self.home = home
        self.of_user = of_user
        self.depth = depth
        self.number = 0

    def blocks(self, text: str) -> list[Block]:
        found = [Block(str(self.path))]
        for self.number, line in enumerate(text.split("\n"), 1):
            keyword, rest = keyword_of(line)
            if not keyword or keyword.startswith("#"):
                continue
            keyword = keyword.lower()
            if not rest:
                self.fail(keyword, "no argument")
            try:
                words = split_words(rest)
                if keyword == "host":
                    found.append(Block(self.place(), host=_host(words)))
                elif keyword == "match":
                    found.append(Block(self.place(), criteria=_criteria(rest)))
                elif keyword == "include":
                    found[-1].steps.extend(self.included(words))
                elif keyword in KEYWORDS:
                    key, read = KEYWORDS[keyword]
                    self.add(found[-1], key, read(rest, words))
            except SshConfigError:
                raise
            except ValueError as exc:
                self.fail(keyword, str(exc))
        return found

    def place(self) -> str:
        return f"{self.path}:{self.number}"

    def fail(self, keyword: str, what: str) -> NoReturn:
        raise SshConfigError(f"{self.place()}: {keyword}: {what}")

    def add(self, block: Block, key: str, value: Any) -> None:
        if value is None:
            return
        if not block.steps or isinstance(block.steps[-1], list):
            block.steps.append({})
        settings = block.steps[-1]
        assert isinstance(settings, dict)
        if key in COLLECTED:
            # ssh takes a file named by the user and by the system for two.
            values = settings.setdefault(key, [])
            if (value, self.of_user) not in values:
                values.append((value, self.of_user))
        else:
            settings.setdefault(key, value)

    def included(self, patterns: list[str]) -> list[list[Block]]:
        from glob import glob

        found: list[list[Block]] = []
        for pattern in patterns:
            if not pattern:
                raise ValueError("empty argument")
            if "${" in pattern or "%" in pattern:
                # OpenSSH 9.9 expands these, for some of them the host must be known.
                found.append([Block(self.place(), criteria=(("expanded path", False, None),))])
                continue
            if pattern.startswith("~") and not self.of_user:
                raise ValueError(f"a system file cannot include '{pattern}'")
            base = self.home / ".ssh" if self.of_user else SYSTEM_DIRECTORY
            for name in sorted(glob(os.path.join(base, expand_home(pattern, self.home)))):  # noqa: PTH118, PTH207
                found.append(self.one_included(Path(name)))
        return found

    def one_included(self, path: Path) -> list[Block]:
        try:
            return parse_file(
                path, self.home, of_user=self.of_user, check=True, depth=self.depth + 1
            )
        except OSError as exc:
            raise ValueError(f"cannot read {path}: {(exc.strerror or str(exc)).lower()}") from exc


def keyword_of(line: str) -> tuple[str | None, str | None]:
    """Return the keyword of a line and what follows it."""
    word, rest = _word(line.rstrip(_SPACE + "\f"))
    if word == "":  # the line begins with white space
        word, rest = _word(rest)
    return word, rest and rest.lstrip(_SPACE)


def _word(text: str | None) -> tuple[str | None, str | None]:
    """Return the next word and the rest; the rules are those of strdelim() in misc.c."""
    if text is None:
        return None, None
    end = re.search(_END_OF_WORD, text)
    if end is None:
        return text, None
    at = end.start()
    if end[0] == '"':
        text = text[:at] + text[at + 1 :]
        close = text.find('"', at)
        return (None, None) if close < 0 else (text[:close], text[close + 1 :].lstrip(_SPACE))
    rest = text[at + 1 :].lstrip(_SPACE)
    if end[0] != "=" and rest.startswith("="):
        rest = rest[1:].lstrip(_SPACE)
    return text[:at], rest


def split_words(text: str) -> list[str]:
    """Return the words of a line; the rules are those of argv_split() in misc.c."""
    if not any(char in text for char in "\"'\\#"):
        return [word for word in text.replace("\t", " ").split(" ") if word]
    words: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        if text[at] == "#":
            break
        word, quote = "", ""
        while at < len(text):
            char, after = text[at], text[at + 1 : at + 2]
            if char == "\\" and after and (after in "'\"\\" or (after == " " and not quote)):
                word += after
                at += 1
            elif not quote and char in " \t":
                break
            elif not quote and char in "\"'":
                quote = char
            elif quote and char == quote:
                quote = ""
            else:
                word += char
            at += 1
        if quote:
            raise ValueError(f"no closing {quote}")
        words.append(word)
    return words


def _host(words: list[str]) -> Test:
    if "" in words:
        raise ValueError("empty argument")
    return pattern_test(words)


def _criteria(rest: str | None) -> tuple[Criterion, ...]:
    criteria: list[Criterion] = []
    while True:
        word, rest = _word(rest)
        if not word or word.startswith("#"):
            break
        name = word.lower().removeprefix("!")
        negated = word.startswith("!")
        if name in ("final", "canonical"):
            criteria.append((name, negated, None))
            continue
        argument, rest = _word(rest)
        if name == "all":
            if len(criteria) > 1 or (argument and not argument.startswith("#")):
                raise ValueError("'all' cannot be combined with other criteria")
            return (*criteria, ("all", negated, None))
        if not argument or argument.startswith("#"):
            raise ValueError(f"no argument for '{name}'")
        # Host names are compared in lower case here, but not after the keyword Host.
        patterns = argument.lower() if name in ("host", "originalhost") else argument
        test = pattern_test(patterns.split(",")) if name in TESTED else None
        criteria.append((name, negated, test))
    if not criteria:
        raise ValueError("no criteria")
    return tuple(criteria)


def pattern_test(patterns: list[str]) -> Test:
    """Return the test for a list of patterns: one must match, and none that has a `!`."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    refused = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if not any(char in pattern for pattern in patterns for char in "*?!"):
        return frozenset(wanted).__contains__
    if not refused:
        return _regex(wanted)
    is_wanted, is_refused = _regex(wanted), _regex(refused)
    return lambda text: is_wanted(text) and not is_refused(text)


def _regex(patterns: list[str]) -> Test:
    if not patterns:
        return frozenset[str]().__contains__
    signs = {"*": ".*", "?": "."}
    texts = ("".join(signs.get(char) or re.escape(char) for char in text) for text in patterns)
    return re.compile("|".join(texts), re.DOTALL).fullmatch
