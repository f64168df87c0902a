"""What other tools know of hosts: readers of their files, text in, hosts and groups out; pure.

The registry feeds `psops inventory import` and its help. What a file says and psops has no
place for is a note with its line, never silence.
"""

from importlib import import_module
from typing import Any, NamedTuple

from psops.errors import UsageError
from psops.importers.imported import Imported
from psops.nearest import nearest_or_all


class Format(NamedTuple):
    """A format: the module that reads it, and what it is in a few words."""

    module: str
    title: str


#: Format -> its module with `read(text, name) -> Imported`, imported when used.
FORMATS: dict[str, Format] = {
    "ansible": Format("ansible", "Ansible inventory: INI, YAML, ansible-inventory --list"),
    "ssh-config": Format("ssh_config", "hosts of an OpenSSH client configuration"),
    "known-hosts": Format("known_hosts", "names that are not hashed of a known_hosts file"),
    "psconfig": Format("psconfig", "pSConfig template (JSON)"),
    "parastation": Format("parastation", "nodes of parastation.conf"),
    "clustershell": Format("clustershell", "ClusterShell groups, YAML or text"),
    "genders": Format("genders", "genders database"),
    "slurm": Format("slurm", "nodes and partitions of slurm.conf"),
    "hosts": Format("hosts_file", "/etc/hosts"),
    "plain": Format("plain", "names and patterns, as node[01-20] user@host:22"),
    "json": Format("psops_json", "what psops inventory export json gives"),
}


def check_format(name: str) -> str:
    """Return the name of a format; raises `UsageError` if there is none of this name."""
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}{nearest_or_all(name, (*FORMATS, 'auto'))}")
    return name


def read(form: str, text: str, name: str) -> Imported:
    """Return what a text says; `name` stands for its file in notes and messages.

    Raises `ConfigError` if it cannot be read as this format.
    """
    module: Any = import_module(f"psops.importers.{FORMATS[form].module}")
    found: Imported = module.read(text, name)
    return found
