"""Which format a file has, by its name and by what it says; pure."""

import json
import re
from pathlib import PurePosixPath

from psops.errors import UsageError
from psops.importers import FORMATS

#: The usual names of files, where they say it.
_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"parastation\.conf.*", "parastation"),
    (r"slurm\.conf.*|nodes\.conf", "slurm"),
    (r"(ssh_)?known_hosts.*", "known-hosts"),
    (r"genders", "genders"),
    (r"hosts\.(ini|ya?ml)", "ansible"),
    (r"local\.cfg|groups", "clustershell"),
)
#: What a line says that only one format has; the first that matches one counts.
_BY_LINE: tuple[tuple[str, str], ...] = (
    (r"\S+ (ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+) AAAA\S+.*", "known-hosts"),
    (r"(?i)\s*(NodeName|PartitionName)\s*=.*", "slurm"),
    (r"(?i)\s*(Host|Match)[ \t=]+\S.*", "ssh-config"),
    (r"(?i)\s*(Nodes\s*\{|hwtype\s|installdir\w*\s).*", "parastation"),
    (r"\[[^\]:\s]+(:(vars|children|hosts))?\]\s*(#.*)?", "ansible"),
    (r"[^#]*\sansible_\w+\s*=.*", "ansible"),
    (r"(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]+)\s+\S+.*", "hosts"),
)


def detect(text: str, name: str) -> str:
    """Return the format of a file; raises `UsageError` if it cannot be told."""
    base = PurePosixPath(name).name
    for pattern, form in _BY_NAME:
        if re.fullmatch(pattern, base):
            return form
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith("{"):
        return _json(begin, name)
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] not in "#;"]
    for pattern, form in _BY_LINE:
        if any(re.fullmatch(pattern, line) for line in lines[:200]):
            return form
    if lines and (lines[0].startswith("---") or re.fullmatch(r"[^\s:]+:\s*(#.*)?", lines[0])):
        words = re.search(r"(?m)^\s+(hosts|children|vars):", text)
        return "ansible" if words else "clustershell"
    if lines and all(re.match(r"[0-9A-Za-z_.-]+:\s*\S", line) for line in lines):
        return "clustershell"
    if lines and all(len(line.partition("#")[0].split()) == 1 for line in lines):
        return "plain"
    raise UsageError(
        f"{name}: its format cannot be told", remedy=f"say which one: {', '.join(FORMATS)}"
    )


def _json(text: str, name: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = {}
    if "addresses" in document and "groups" in document:
        return "psconfig"
    if "psops" in document:
        return "json"
    if "_meta" in document or "all" in document:
        return "ansible"
    raise UsageError(
        f"{name}: JSON, but neither a pSConfig template nor ansible-inventory --list",
        remedy=f"say which format it is: {', '.join(FORMATS)}",
    )
