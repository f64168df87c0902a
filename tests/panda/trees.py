"""Trees of files for the tests: what a server has, by path, in memory or on disk."""

from collections.abc import Mapping
from pathlib import Path

from psops.panda.effective import Effective, read_effective
from psops.panda.sources import Fetch, Sources, standard_sources

HOME = "/opt/panda"
CFG = f"{HOME}/etc/panda/panda_server.cfg"
OVERLAY = f"{HOME}/etc/config_json/panda_server_config.json"
ENVIRONMENT = {"PANDA_HOME": HOME, "HOME": "/home/atlpan", "TZ": "UTC"}

#: The example of PanDA's guide, as in `shared/sources/panda-daemon.txt`.
GUIDE = """\
[daemon]
# whether to run daemons for PanDA
enable = True

# user and group name to run daemons
uname = atlpan
gname = zp

# package path of script modules to run in daemon
package = pandaserver.daemons.scripts

# number of worker processes to run daemons
n_proc = 4

# when exceeding lifetime, worker process will be respawned
proc_lifetime = 14400

# configuration in json about daemons
# of the form {"daemon_name": {"module": <module_name>, "period": <period>, ...}, ...}
config = {
    "dummy_test": {
        "enable": true, "period": 120, "timeout": 300},
    "add_main": {
        "enable": true, "period": 240, "loop": true},
    "add_sub": {
        "enable": true, "period": 240},
    "evpPD2P": {
        "enable": true, "period": 600},
    "recover_lost_files_daemon": {
        "enable": true, "period": 600},
    "process_workflow_files_daemon": {
        "enable": true, "period": 60},
    "copyArchive": {
        "enable": true, "period": 2400, "sync": true},
    "datasetManager": {
        "enable": true, "period": 2400, "sync": true},
    "proxyCache": {
        "module": "panda_activeusers_query", "enable": true, "period": 600},
    "pilot_streaming": {
        "module": "pilotStreaming", "enable": true, "period": 300, "sync": true},
    "worker_synchronization": {
        "module": "worker_synchronization", "enable": true, "period": 1800, "sync": true},
    "configurator": {
        "enable": true, "module": "configurator", "period": 200, "sync": true},
    "network_configurator": {
        "enable": true, "module": "configurator", "arguments": ["--network"], "period": 400, "sync": true},
    "schedconfig_json": {
        "enable": true, "module": "configurator", "arguments": ["--json_dump"], "period": 200, "sync": true},
    "sw_tags": {
        "enable": true, "module": "configurator", "arguments": ["--sw_tags"], "period": 200, "sync": true},
    "metric_collector": {
        "enable": true, "period": 300},
    "task_evaluator": {
        "enable": true, "period": 300}
    }
"""  # noqa: E501


def cfg(config: str, head: str = "enable = True\npackage = p\nn_proc = 4\n") -> str:
    """Return a file with this JSON, indented as it must be."""
    return f"[daemon]\n{head}config = {config}\n"


def fetch_from(tree: Mapping[str, str | bytes]) -> Fetch:
    """Return a way to the files of a dictionary."""
    return lambda path: tree.get(path)


def sources(environment: Mapping[str, str] = ENVIRONMENT) -> Sources:
    """Return all files of the test's server."""
    return standard_sources(environment=environment)


def effective(
    tree: Mapping[str, str | bytes] | str, environment: Mapping[str, str] = ENVIRONMENT
) -> Effective:
    """Return the effective list of files by path, or of the text of the one in PANDA_HOME."""
    tree = {CFG: tree} if isinstance(tree, str) else tree
    return read_effective(sources(environment), fetch_from(tree))


def plant(root: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Write files below a directory."""
    for path, data in tree.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root
