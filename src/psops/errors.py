"""Every error psops expects: a stable code for machines, a sentence and a remedy for people.

An error that concerns one host becomes part of the report (`fanout.Outcome`);
one that concerns the whole run ends it with the exit code of its class.
"""

from typing import ClassVar

from psops.exits import Exit


class PsopsError(Exception):
    """Root of all expected errors.

    `code` is a stable id that appears in JSON, `exit` the exit code when the error
    ends the run, `remedy` what the user can do next (may be empty).
    """

    code: ClassVar[str] = "error"
    exit: ClassVar[Exit] = Exit.SOFTWARE
    #: What usually helps; an instance may carry a better one.
    remedy: str = ""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        if remedy is not None:
            self.remedy = remedy


class UsageError(PsopsError, ValueError):
    """The command line asks for something that does not exist or does not fit together."""

    code = "usage"
    exit = Exit.USAGE


class MissingLibrary(UsageError, ImportError):
    """What was asked for needs a library that is not installed."""

    code = "missing-library"
    remedy = "install psops with pip, pipx or uv, which bring all its libraries"


class NoSuchGroup(UsageError, KeyError):
    """A group that the inventory does not have."""

    code = "no-such-group"
    __str__ = Exception.__str__  # KeyError would quote the sentence


class NoSuchBundle(UsageError, KeyError):
    """A bundle that the catalogue does not have."""

    code = "no-such-bundle"
    __str__ = Exception.__str__


class NoSuchDaemon(UsageError, KeyError):
    """A daemon that the catalogue does not have."""

    code = "no-such-daemon"
    __str__ = Exception.__str__


class ConfigError(PsopsError, ValueError):
    """A file of psops that cannot be read or says something wrong."""

    code = "config"
    exit = Exit.CONFIG


class InventoryError(ConfigError):
    """A mistake in an inventory file; the message names file, table and key."""

    code = "inventory"


class CatalogueError(ConfigError):
    """A mistake in a catalogue file; the message names file, table and key."""

    code = "catalogue"


class SshConfigError(ConfigError):
    """A mistake in an OpenSSH client configuration file; the message names file and line."""

    code = "ssh-config"


class SecretError(ConfigError):
    """A secret is not where its reference says, or is not kept from others."""

    code = "secret"
    remedy = "keep it in a file of mode 0600, a variable, or a credential of systemd"


class OutputError(PsopsError):
    """The report cannot be written where it was to go."""

    code = "output"
    exit = Exit.CANNOT_WRITE
    remedy = "make room there, or have it written elsewhere"


class CrontabError(PsopsError):
    """A crontab cannot be read at all; one that has wrong lines is no error."""

    code = "crontab"
    exit = Exit.UNREADABLE_INPUT
    remedy = "give a file or directory that may be read, or - for standard input"


class HistoryError(PsopsError):
    """The history of changes cannot be read or written; without it nothing is changed."""

    code = "history"
    exit = Exit.CANNOT_RECORD
    remedy = "make room or permission there, or change without a record: --no-history"


class HostError(PsopsError):
    """A host could not be read, for a reason that has no code of its own."""

    code = "host"
    exit = Exit.UNAVAILABLE


class NameNotResolved(HostError):
    """The host's name has no address."""

    code = "name-not-resolved"
    remedy = "check the spelling, DNS, or give 'address' in the inventory"


class ConnectRefused(HostError, ConnectionError):
    """The host answered, but nothing listens on the port or a firewall rejects."""

    code = "connect-refused"
    remedy = "is sshd running there, and is the port right?"


class ConnectTimedOut(HostError, TimeoutError):
    """No answer to the connection attempt within the connect time-out."""

    code = "connect-timed-out"
    remedy = "host down, or a firewall drops the packets; raise --connect-timeout on slow links"


class BannerTimedOut(HostError, TimeoutError):
    """The port is open, but no SSH greeting came (sshd hangs, or it is another service)."""

    code = "banner-timed-out"
    remedy = "sshd there accepts connections but does not speak; check its load, restart it"


class HostKeyUnknown(HostError):
    """No known_hosts file has a key of this host."""

    code = "host-key-unknown"
    remedy = "compare the fingerprint, then run again with --accept-new-host-keys"


class HostKeyChanged(HostError):
    """The host showed another key than the one known: reinstalled, or somebody in between."""

    code = "host-key-changed"
    remedy = "if the host was reinstalled, remove the old key with ssh-keygen -R"


class AuthenticationRefused(HostError, PermissionError):
    """The host accepted none of the keys offered."""

    code = "authentication-refused"
    remedy = "check user and key; an encrypted key must be in the agent (ssh-add)"


class ChannelRefused(HostError):
    """Logged in, but the host opens no way to its bus for this user."""

    code = "channel-refused"
    remedy = "allow AllowStreamLocalForwarding in sshd_config, or install systemd-stdio-bridge"


class NoBus(HostError):
    """The D-Bus socket is not there or nothing answers on it."""

    code = "no-bus"
    remedy = "check dbus.socket and dbus.service on the host"


class NotSystemd(HostError):
    """The host's services are not run by systemd."""

    code = "not-systemd"
    remedy = "psops manages systemd hosts; for a container without systemd use its own supervisor"


class ProtocolError(HostError):
    """Bytes that make no sense; the message says what was expected."""

    code = "protocol-error"
    remedy = "does a login script of the host print text? run again with --debug"


class DeadlineExceeded(HostError, TimeoutError):
    """Connected, but the answer did not come within the time-out."""

    code = "deadline"
    remedy = "the host is busy or hangs; raise --timeout"


class RowsUnread(HostError):
    """Rucio's heartbeats could not be read, so nothing can be said of what its daemons do."""

    code = "heartbeats-unread"
    remedy = "is the address right, and may the account read the heartbeats?"


class JournalForbidden(HostError, PermissionError):
    """The login's user may not read the journal of the system."""

    code = "journal-forbidden"
    remedy = "add the user to group systemd-journal or adm there, or try --sudo, or log in as root"


class Interrupted(HostError):
    """The run was interrupted before this host had answered."""

    code = "interrupted"


class NotAttempted(HostError):
    """Nothing was changed on the host, because the run had been stopped before its turn."""

    code = "not-attempted"
    remedy = "run the same verb with --retry-failed to go on"


class Mistake(HostError):
    """Something that a host sent brought out a mistake of psops, before anything was changed."""

    code = "bug"
    remedy = "please report it"


class BusError(PsopsError):
    """The manager answered a call with an error; `name` is its D-Bus name."""

    code = "bus"
    exit = Exit.SOME_FAILED

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message or name)
        self.name = name


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt no `Exception`, which would be taken for a bug."""


def describe(error: PsopsError) -> dict[str, str]:
    """Return the parts of an error that a report shows."""
    return {"code": error.code, "message": str(error), "remedy": error.remedy}
