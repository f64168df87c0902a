"""The settings of the probes that ask stores, views, collectors, containers and files."""

import re
from typing import Any

from psops.catalogue.values import Wrong, boolean, path, some, string, unit, whole, word
from psops.probes.keys import Key
from psops.probes.keys_common import HTTP, given, json_rules, number, share, span, url


def base(value: Any) -> str:
    """Return a URL below which others are asked, so without a query or a fragment."""
    text = url(value)
    if "?" in text or "#" in text:
        raise Wrong(f"'{text}' must have no '?' and no '#'; paths are put after it")
    return text


def index(value: Any) -> str:
    """Return the name of an index, alias or data stream, no pattern: one that matches nothing
    would be empty instead of missing.
    """
    text = string(value)
    if not re.fullmatch(r"[^\s/\\*?\"<>|,#:]+", text):
        raise Wrong(f"'{text}' is not the name of one index or alias")
    return text


def container(value: Any) -> str:
    """Return the name of a container, as Docker and Podman allow them."""
    text = string(value)
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", text):
        raise Wrong(f"'{text}' is not the name of a container")
    return text


def host(value: Any) -> str:
    """Return the name or address of a host."""
    text = string(value)
    if not re.fullmatch(r"[\w.:-]+", text) or text.startswith("-"):
        raise Wrong(f"'{text}' is not the name or address of a host")
    return text


def remote(value: Any) -> str:
    """Return the URL of a file on tape, `{date}` in it for yesterday's date."""
    text = string(value)
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s@]+", text):
        raise Wrong(f"'{text}' is not a URL such as davs://tape.example.org/{{date}}.tar.gz")
    return text


_BASE: dict[str, Key] = {**HTTP, "url": Key(given(base), needed=True)}
_HOUR = 3600.0
_INDEX: dict[str, Key] = {
    **_BASE,
    "index": Key(index, needed=True),
    #: As in SAND's indices; others have @timestamp.
    "field": Key(string, "timestamp"),
}

#: Kind -> its keys. All times are in seconds.
DATA: dict[str, dict[str, Key]] = {
    "es-health": {
        **_BASE,
        "index": Key(index, ""),
        #: A cluster of one node is always yellow.
        "accept_yellow": Key(boolean, False),
    },
    "es-freshness": {
        **_INDEX,
        "max_age": Key(span, _HOUR),
        #: By how much more events may come late.
        "lateness": Key(number, 0.0),
    },
    "es-count-ratio": {
        **_INDEX,
        "window": Key(span, _HOUR),
        "shift": Key(number, 9 * _HOUR),
        "align": Key(number, _HOUR),
        "least_count": Key(number, 10.0),
        "least_ratio": Key(number, 0.3),
    },
    "grafana": {
        **_BASE,
        #: Uids of data sources, which need a token.
        "datasources": Key(some(string), ()),
    },
    "container": {
        "container": Key(container, needed=True),
        #: Not set: Docker's usual one, then Podman's.
        "socket": Key(path, ""),
        "min_uptime": Key(number, 60.0),
        #: Not set: any number.
        "most_restarts": Key(whole(0, 10**6), None),
    },
    "pwa": {
        **_BASE,
        "least_meshes": Key(whole(1, 100000), 1),
        #: Not set: the first that is listed and on the same host.
        "mesh_url": Key(given(url), ""),
    },
    "pscheduler": {
        #: Its root, such as https://host/pscheduler.
        **_BASE,
        "services": Key(some(string), ("ticker", "scheduler", "runner", "archiver")),
        "max_silence": Key(span, _HOUR),
        "max_age": Key(span, 24 * _HOUR),
        "limits": Key(boolean, True),
    },
    "maddash": {
        #: The REST interface, such as https://host/maddash.
        **_BASE,
        "grids": Key(some(string), ()),
        "max_age": Key(span, 24 * _HOUR),
        "most_unknown": Key(share, 0.5),
        #: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
        "most_severity": Key(whole(0, 3), 1),
    },
    "rsv": {
        **_BASE,
        "least_share": Key(share, 0.8),
        "most_old": Key(share, 0.0),
        "max_age": Key(span, 2 * _HOUR),
    },
    "collector-metrics": {
        **_BASE,
        "least_share": Key(share, 0.8),
        "least_endpoints": Key(whole(1, 10**6), 1),
    },
    "checkmk-bi": {
        #: For rest the site, such as https://host/site; for multisite the view.
        **HTTP,
        "api": Key(word(("rest", "multisite"), "interface"), "rest"),
        #: Not set: all that are shown.
        "aggregations": Key(some(string), ()),
        "max_age": Key(span, _HOUR),
        #: Whose last check tells that checks still run: for rest, then for multisite.
        "alive_host": Key(string, ""),
        "alive_service": Key(string, ""),
        "alive_url": Key(given(url), ""),
    },
    "tape-copy": {
        "output": Key(path, needed=True),
        "pattern": Key(string, "*.tar.gz"),
        "most_wait": Key(span, 2 * _HOUR),
        "max_age": Key(span, 26 * _HOUR),
        "log": Key(path, ""),
        "log_lines": Key(whole(1, 10000), 200),
        "log_failure": Key(string, "Failed checksum"),
        "remote": Key(remote, ""),
    },
    "files": {
        "folder": Key(path, needed=True),
        "pattern": Key(string, "*"),
        "max_age": Key(span, _HOUR),
        #: Bytes.
        "least_size": Key(whole(0, 10**15), 1),
    },
    "page": {
        **HTTP,
        "status": Key(some(whole(100, 599)), (200,)),
        "text": Key(string, ""),
        "not_text": Key(string, ""),
        "json": Key(json_rules, ()),
        "most_seconds": Key(number, 0.0),
        #: Whether a form to log in is part of the page that is meant.
        "login_form": Key(boolean, False),
    },
    "tls": {
        "host": Key(given(host), needed=True),
        "port": Key(whole(1, 65535), 443),
        "ca": Key(path, ""),
        "client_cert": Key(path, ""),
        "client_key": Key(path, ""),
        "tls_days": Key(whole(0, 3650), 14),
    },
    "units": {
        "units": Key(some(unit), needed=True),
        #: Whether a unit may have done its work and ended, as active (exited) tells.
        "accept_exited": Key(boolean, False),
    },
}
