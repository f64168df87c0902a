"""What Ansible's connection variables mean for psops; secrets are never looked at.

Authority: the ssh connection plugin of ansible-core and its documented variables.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from psops.importers.imported import Imported, is_secret
from psops.importers.yaml_nodes import Vault


class Var(NamedTuple):
    """A variable's value and the line it is given in."""

    line: int
    value: Any


Vars = Mapping[str, Var]

_SSH = """
    ssh smart paramiko paramiko_ssh ansible.builtin.ssh ansible.builtin.paramiko_ssh
""".split()
#: Connection plugin -> transport of psops.
_TRANSPORTS = {
    **dict.fromkeys(_SSH, ""),
    **dict.fromkeys(("local", "ansible.builtin.local"), "local"),
    **dict.fromkeys(
        ("docker", "podman", "machinectl", "community.docker.docker", "containers.podman.podman",
         "community.general.machinectl"), "container"),
}  # fmt: skip
#: Variables that change nothing for psops: how Ansible finds Python, shells, its own facts.
_QUIET = re.compile(
    r"ansible_(python_interpreter|shell_.*|group_priority|facts|become_(method|user|exe|flags)"
    r"|ssh_(retries|pipelining|transfer_method|executable|control_path.*)|pipelining|scp_.*"
    r"|sftp_.*|remote_tmp|check_mode|diff_mode|forks|inventory_sources|playbook_python|verbosity"
    r"|version|run_tags|skip_tags|config_file|connection_user|.*_interpreter)"
)
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args")
#: psops runs sudo without one.
_SUDO_PASSWORDS = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")
_KEY_FILES = ("ansible_ssh_private_key_file", "ansible_private_key_file")
_NAME = re.compile(r"\{\{\s*inventory_hostname(_short)?\s*\}\}")


def take(found: Imported, host: str, given: Vars, line: int) -> bool:
    """Take a host with the variables that hold for it; False if psops cannot reach such a host."""
    values = _Values(found, host, given)
    connection = values.text("ansible_connection") or "ssh"
    if connection not in _TRANSPORTS:
        found.note(line, f"hosts with ansible_connection={connection} are not for psops; left out")
        return False
    port = values.port()
    if not found.host(host, line):
        return False
    found.host(
        host, line,
        address=values.text("ansible_host", "ansible_ssh_host"),
        user=values.text("ansible_user", "ansible_ssh_user"),
        port=port,
        jump=values.jump(),
        transport=_TRANSPORTS[connection] or values.word("psops_transport"),
        sudo=values.sudo() or None,
        bundles=values.words("psops_bundles"),
        labels=values.table("psops_labels"),
    )  # fmt: skip
    values.tell_others()
    return True


class _Values:
    """The variables of a host, and which of them were used."""

    def __init__(self, found: Imported, host: str, given: Vars) -> None:
        self.found = found
        self.host = host
        self.given = given
        self.used = {"ansible_connection"}

    def text(self, *names: str) -> str | None:
        """Return the first of some variables, with the host's name filled in."""
        short = self.host.partition(".")[0]
        for name in names:
            self.used.add(name)
            if name not in self.given or self.given[name].value in (None, ""):
                continue
            value = self.given[name].value
            if isinstance(value, str | int) and not isinstance(value, bool):
                text = _NAME.sub(lambda one: short if one[1] else self.host, str(value))
                if "{{" not in text and "{%" not in text:
                    return text
            self._note(name, "is computed by Ansible; left out")
        return None

    def port(self) -> int | None:
        text = self.text("ansible_port", "ansible_ssh_port")
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return int(text[:6])
        self._note("ansible_port", f"'{text}' is not a port; left out")
        return None

    def sudo(self) -> bool:
        """Return whether the bus is to be reached through sudo."""
        self.used.add("ansible_become")
        become = self.given.get("ansible_become")
        if become is None or str(become.value).lower() not in ("true", "yes", "1", "on"):
            return False
        method = self.given.get("ansible_become_method")
        if method is not None and str(method.value) not in ("sudo", "ansible.builtin.sudo"):
            self._note("ansible_become_method", f"'{method.value}' is no way of psops; left out")
            return False
        user = self.given.get("ansible_become_user")
        if user is not None and user.value not in (None, "", "root"):
            self._note("ansible_become_user", "is not root, which is no way of psops; left out")
            return False
        if any(name in self.given for name in _SUDO_PASSWORDS):
            self._note("ansible_become", "with a password is no way of psops; left out")
            return False
        return True

    def jump(self) -> list[str] | None:
        """Return the jump hosts among the arguments of ssh."""
        hops: list[str] | None = None
        for name in _ARGUMENTS:
            text = self.text(name)
            if text is None:
                continue
            try:
                words = shlex.split(text)
            except ValueError:
                words = [text]
            rest = []
            while words:
                word = words.pop(0)
                both = f"{word} {words[0]}" if word in ("-o", "-J") and words else word
                match = re.fullmatch(r"-J\s*(\S+)|-o\s*ProxyJump[= ]\s*(\S+)", both)
                if both != word:
                    words.pop(0)
                if match and hops is None:
                    hops = (match[1] or match[2]).split(",")
                else:
                    rest.append(both)
            if rest:
                self._note(name, f"{' '.join(rest)}: give it in the ssh configuration; left out")
        return hops

    def word(self, name: str) -> str | None:
        self.used.add(name)
        value = self.given[name].value if name in self.given else None
        return value if isinstance(value, str) else None

    def words(self, name: str) -> list[str] | None:
        self.used.add(name)
        value = self.given[name].value if name in self.given else None
        return [str(getattr(one, "value", one)) for one in value] if isinstance(value, list) \
            else None  # fmt: skip

    def table(self, name: str) -> dict[str, str] | None:
        self.used.add(name)
        value = self.given[name].value if name in self.given else None
        if not isinstance(value, dict):
            return None
        return {str(key): str(getattr(one, "value", one)) for key, one in value.items()}

    def tell_others(self) -> None:
        """Tell which variables are left out; the value of none of them is shown."""
        for name, var in self.given.items():
            if name in self.used:
                continue
            if name in _KEY_FILES:
                self._note(name, "goes to the ssh configuration, as IdentityFile; left out")
            elif isinstance(var.value, Vault) or is_secret(name):
                self._note(name, "may be a secret; left out")
            elif not _QUIET.fullmatch(name):
                self._note(name, "has no place in an inventory of psops; left out")

    def _note(self, name: str, what: str) -> None:
        self.found.note(self.given[name].line if name in self.given else 0, f"{name} {what}")
