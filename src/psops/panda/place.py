"""Configurations by the words of a command line: `PATH` here, `HOST:PATH` on another host."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from posixpath import normpath
from typing import NamedTuple

from psops.deadline import Deadline
from psops.errors import ConfigError, HostError, UsageError
from psops.panda.effective import Effective, read_effective
from psops.panda.sources import Fetch, parse_environment, read_local, real_path, sources_of
from psops.paths import MOST_BYTES
from psops.transport import Files, RemoteFile

#: Bytes that are asked for at once.
_PIECE = 1 << 20


class Word(NamedTuple):
    """A file as the command line names it; no `host` is this machine."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.path}" if self.host else self.path


class Environment(NamedTuple):
    """The environment file of the master: where it is ("" for none) and its text."""

    file: str = ""
    text: str | None = None


def parse_word(text: str) -> Word:
    """Return the file that a word means; a `/` before the colon makes it a path, as for scp(1).

    A path of this machine is made absolute, since the place of a file tells PANDA_HOME.
    Raises `UsageError` if the host or the path is missing.

    >>> parse_word("p01:/etc/panda/panda_server.cfg").host, parse_word("./a:b").host
    ('p01', '')
    """
    host, colon, path = text.partition(":")
    if not colon or "/" in host:
        host, path = "", text
    elif not host:
        raise UsageError(f"{text!r} names no host", remedy=f"write ./{text} for a file")
    if not path:
        raise UsageError(f"{text!r} names no file")
    # Not Path.resolve(): a link in its usual place is what the master reads.
    return Word(host, path if host else os.path.abspath(path))  # noqa: PTH100


def fetch_from(files: Files, host: str, timeout: float) -> Fetch:
    """Return a way to files of a host.

    It gives None for a file that is not there, and raises `ConfigError` for one that cannot
    be read, `HostError` if the host does not answer.
    """

    def fetch(path: str) -> bytes | None:
        if "\0" in path:
            raise ConfigError(f"{host}: a path with a NUL character: {path!r}")
        try:
            return _read_whole(files, path, Deadline(timeout))
        except HostError:
            raise  # some of them are errors of the system as well
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise ConfigError(f"{host}:{path}: cannot read: {exc.strerror or exc}") from exc

    return fetch


def _read_whole(files: Files, path: str, deadline: Deadline) -> bytes:
    data = bytearray()
    with closing(files.open(path, deadline)) as file:
        while piece := _read(file, len(data), deadline):
            data += piece
            if len(data) > MOST_BYTES:
                raise OSError(errno.EFBIG, f"larger than {MOST_BYTES} bytes")
    return bytes(data)


def _read(file: RemoteFile, offset: int, deadline: Deadline) -> bytes:
    try:
        return file.read(offset, _PIECE, deadline)
    except OSError as exc:
        # A server calls it a failure, no more.
        if not isinstance(exc, HostError) and file.attributes(deadline).directory:
            raise IsADirectoryError(errno.EISDIR, "it is a directory") from exc
        raise


def read_environment(word: Word, fetch: Fetch) -> Environment:
    """Return an environment file of the units; raises `ConfigError` if it cannot be read."""
    data = fetch(word.path)
    if data is None:
        raise ConfigError(f"{word}: no such file")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{word}: not UTF-8 text") from exc
    return Environment(str(word), text)


def read_configuration(
    word: Word, fetch: Fetch = read_local, environment: Environment | None = None
) -> Effective:
    """Return the effective list of the server to which a file belongs, with all its files.

    Raises `ConfigError` if the file itself is missing or one cannot be read, and what `fetch`
    raises. What is wrong in the files is part of the list.
    """
    known = environment or Environment()
    variables = parse_environment(known.text or "")
    real = normpath if word.host else real_path
    sources = sources_of(word.path, environment=variables, env_file=known.file, real=real)
    effective = read_effective(sources, fetch)
    # A broken file ends the reading, so those behind it may be unseen.
    if word.path not in effective.found and (effective.fatal is None or fetch(word.path) is None):
        raise ConfigError(f"{word}: no such file")
    return effective


class Reader:
    """Reads configurations here and on hosts, each of which is connected to once."""

    def __init__(self, dial: Callable[[str], Fetch], env_file: str | None = None) -> None:
        """`dial` connects to a host by its name; `env_file` is a word for `--env`."""
        self._dial = dial
        self._fetches: dict[str, Fetch] = {"": read_local}
        self._env_file = env_file
        self._environment: Environment | None = None

    def read_environment(self) -> Environment:
        """Return the environment file, which is read once; raises as `read` does."""
        if self._environment is None:
            self._environment = Environment()
            if self._env_file is not None:
                word = parse_word(self._env_file)
                with _naming(word.host):
                    self._environment = read_environment(word, self._fetch(word.host))
        return self._environment

    def read(self, word: Word) -> Effective:
        """Return the effective list of the server that a word means.

        Raises `ConfigError` for what cannot be read, `HostError` for a host that does not
        answer, and what `dial` raises.
        """
        known = self.read_environment()
        with _naming(word.host):
            return read_configuration(word, self._fetch(word.host), known)

    def _fetch(self, host: str) -> Fetch:
        if host not in self._fetches:
            self._fetches[host] = self._dial(host)
        return self._fetches[host]


@contextmanager
def _naming(host: str) -> Iterator[None]:
    """Put the name of the host in front of its errors, since no report tells it."""
    try:
        yield
    except HostError as exc:
        raise type(exc)(f"{host}: {exc}", remedy=exc.remedy) from exc
