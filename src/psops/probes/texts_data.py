"""What is told of the checks that ask stores, views, collectors, containers and files."""

from psops.probes.texts import Told

_INDEX = {
    "index": Told("string", "The index, alias or data stream, by its whole name."),
    "field": Told("string", "The field with the time of the event."),
}

#: Kind -> what it asks.
DATA_KINDS: dict[str, str] = {
    "es-health": "The health of a cluster of Elasticsearch or OpenSearch, or of one index: green "
    "is right, yellow (copies missing) a warning, red (data missing) wrong.",
    "es-freshness": "The age of the newest document of an index. Documents of the future, from "
    "hosts whose clock is wrong, do not make it young; they are a warning beside.",
    "es-count-ratio": "Whether an index got about as many documents as before: those of the last "
    "window against half of those of the two windows before, as SAND's alarms count them.",
    "grafana": "Grafana's own health, which tells nothing of dashboards, and with a token that of "
    "the data sources named.",
    "container": "Whether the container of this very name runs, by the Engine API of Docker or "
    "Podman on its Unix socket. That it runs does not prove that data flow.",
    "pwa": "A pSConfig web administration: its database answers, it lists meshes and serves one.",
    "pscheduler": "A pScheduler by its status: no daemon is overdue, its limits are read, and a "
    "run ended lately.",
    "maddash": "MaDDash by its REST interface: its grids are known, recent and not too bad.",
    "rsv": "A page of RSV: most of its rows are OK, few are old, and the page itself is of now.",
    "collector-metrics": "The metrics of ps-collector: most of the endpoints that it "
    "asked between two looks had no failure.",
    "checkmk-bi": "Checkmk's business intelligence: its aggregations are OK, and a check is young "
    "enough to show that checks still run.",
    "tape-copy": "Files that wait to be copied to tape: none waits too long, a copy ended lately, "
    "and no checksum differed. An empty file marks a copy, as by gracc-backup.",
    "files": "Files in a folder of a host, such as logs or archives: the last one was changed not "
    "too long ago.",
    "page": "A page: its status, a text, values of its JSON, the time it took. A page to log in "
    "is never what was meant, whatever else it says.",
    "tls": "The certificate of a port: it is trusted, for this name, and lasts.",
    "units": "systemd units of a host: all are active.",
}

#: Kind -> its own settings.
DATA_KEYS: dict[str, dict[str, Told]] = {
    "es-health": {
        "index": Told("string", "Only that of this index."),
        "accept_yellow": Told("boolean", "Yellow is right, as always for a single node."),
    },
    "es-freshness": {
        **_INDEX,
        "max_age": Told("seconds", "How old the newest document may be."),
        "lateness": Told("seconds", "How much later events are stored; it is added to max_age."),
    },
    "es-count-ratio": {
        **_INDEX,
        "window": Told("seconds", "How long a window is."),
        "shift": Told("seconds", "How long before now the last window ends: late data count, too."),
        "align": Told("seconds", "The end is rounded down to a multiple of this; 0 does not."),
        "least_count": Told("number", "Fewer documents in the last window are wrong."),
        "least_ratio": Told("number", "So are fewer than this times the usual number."),
    },
    "grafana": {
        "datasources": Told("list of strings", "The uids of data sources that must answer."),
    },
    "container": {
        "container": Told("string", "Its name."),
        "socket": Told(
            "path",
            "The engine's socket; without it, /var/run/docker.sock, then /run/podman/podman.sock.",
        ),
        "min_uptime": Told("seconds", "One that started later is taken to be starting anew."),
        "most_restarts": Told("integer", "How often the engine may have started it again."),
    },
    "pwa": {
        "least_meshes": Told("integer", "How many meshes it must list."),
        "mesh_url": Told("URL", "The mesh to read; without it, the first on the same host."),
    },
    "pscheduler": {
        "url": Told("URL", "Its root, such as https://ps.example.org/pscheduler."),
        "services": Told("list of strings", "The daemons that must be there."),
        "max_silence": Told("seconds", "How long a daemon may give no sign."),
        "max_age": Told("seconds", "How long ago the last run may have ended."),
        "limits": Told("boolean", "Whether its limits must be read without a mistake."),
    },
    "maddash": {
        "url": Told("URL", "Its REST interface, such as https://maddash.example.org/maddash."),
        "grids": Told("list of strings", "The grids to look at; without it, all."),
        "max_age": Told("seconds", "How old the newest check of each grid may be."),
        "most_unknown": Told("share", "How many checks may be unknown or not run."),
        "most_severity": Told(
            "integer", "How bad a grid may be: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
        ),
    },
    "rsv": {
        "url": Told("URL", "The folder of the page, such as http://rsv.example.org/rsv."),
        "least_share": Told("share", "How many of the enabled rows must be OK."),
        "most_old": Told("share", "How many of them may be more than a day old."),
        "max_age": Told("seconds", "How old the page itself may be."),
    },
    "collector-metrics": {
        "url": Told("URL", "The page of its metrics, such as http://ps.example.org:8000/metrics."),
        "least_share": Told("share", "How many of those asked must be without a new failure."),
        "least_endpoints": Told("integer", "How many endpoints it must ask."),
    },
    "checkmk-bi": {
        "url": Told(
            "URL",
            "For rest the site, such as https://cmk.example.org/site; for multisite the view of "
            "aggregations, as the browser has it.",
        ),
        "api": Told("string", "rest (Checkmk 2) or multisite (before)."),
        "aggregations": Told("list of strings", "Those that count; without it, all that it shows."),
        "max_age": Told("seconds", "How old the newest check may be."),
        "alive_host": Told("string", "For rest: the host of the service whose check counts."),
        "alive_service": Told("string", "For rest: that service, such as Check_MK."),
        "alive_url": Told("URL", "For multisite: a view with the ages of checks."),
    },
    "tape-copy": {
        "output": Told("path", "The folder in which finished files wait."),
        "pattern": Told("string", "The names that count, as a pattern of the shell."),
        "most_wait": Told("seconds", "How long a file may wait."),
        "max_age": Told("seconds", "How long ago the last copy may be."),
        "log": Told("path", "The log of the copies."),
        "log_lines": Told("integer", "How many lines at its end are looked at."),
        "log_failure": Told(
            "string",
            "What such a line says of a checksum that differs, which counts until a copy is good.",
        ),
        "remote": Told(
            "URL",
            "The file on tape that gfal-stat must find there with something in it; {date} is the "
            "day before, as 2026-11-20, once most_wait is over.",
        ),
    },
    "files": {
        "folder": Told("path", "The folder; those below it do not count."),
        "pattern": Told("string", "The names that count, as a pattern of the shell."),
        "max_age": Told("seconds", "How long ago the last change may be."),
        "least_size": Told("integer", "Files of fewer bytes do not count."),
    },
    "page": {
        "url": Told("URL", "The page. Where it points elsewhere, that is not followed."),
        "status": Told("integer or list", "The HTTP statuses that are right."),
        "text": Told("string", "What must be in it."),
        "not_text": Told("string", "What must not be in it, such as an error's name."),
        "json": Told(
            "list of tables",
            "Rules for its values, as checks of psops-catalogue(5) have them; a value that is not "
            "there is unknown.",
        ),
        "most_seconds": Told("seconds", "How long the answer may take; 0 does not look."),
        "login_form": Told("boolean", "A form for a password is part of the page that is meant."),
    },
    "tls": {
        "host": Told("string", "The host, which the certificate must be for."),
        "port": Told("integer", "Its port."),
        "tls_days": Told("integer", "Fewer days until the certificate ends are a warning."),
    },
    "units": {
        "units": Told(
            "unit or list",
            "Names with their type. A pattern must match one at least, and sees no instance of a "
            "template that is stopped: name those that must run.",
        ),
        "accept_exited": Told(
            "boolean", "A unit may have done its work and ended, as active (exited) tells."
        ),
    },
}  # fmt: skip
