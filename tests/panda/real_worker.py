"""Runs in the environment that has panda-server: its own code reads a configuration.

A request is a line of JSON, an answer as well. Each request is answered by a fork, since the
configuration is read when a module is imported. Replaced are, in `sys.modules`, only what the
daemon's module imports besides its configuration: psutil, logging, locks, and the server's own
section (`panda_config`), which needs a database; and `open`, so that absolute paths are
taken from a directory of the test.
"""

import builtins
import importlib
import json
import os
import sys
import types
from typing import Any

REAL_OPEN = builtins.open
REAL_EXISTS = os.path.exists


def stub(name: str, **attributes: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    sys.modules[name] = module


class Thread:
    def get_full_id(self, *names: object) -> str:
        return "test"


class Logger:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def _note(self, text: object) -> None:
        self.lines.append(str(text))

    info = debug = warning = error = _note


def answer(request: Any) -> Any:
    root = request["root"]

    def inside(path: Any) -> Any:
        text: Any = path if isinstance(path, int) else os.fspath(path)
        moved = isinstance(text, str) and (text.startswith("/") and not text.startswith(root))
        return root + text if moved and "panda" in os.path.basename(text) else path

    def open_inside(path: Any, *args: Any, **kwargs: Any) -> Any:
        return REAL_OPEN(inside(path), *args, **kwargs)

    def exists_inside(path: Any) -> bool:
        return REAL_EXISTS(inside(path))

    setattr(builtins, "open", open_inside)  # noqa: B010, a function with overloads for mypy
    os.path.exists = exists_inside
    os.environ.clear()
    os.environ.update(request["environment"])
    try:
        daemon_config: Any = importlib.import_module("pandaserver.config.daemon_config")
    except Exception as error:
        return {"fatal": type(error).__name__}
    names = ("enable", "uname", "gname", "package", "n_proc", "n_dbconn", "proc_lifetime",
             "use_tbif", "config")  # fmt: skip
    found = {key: getattr(daemon_config, key) for key in names if hasattr(daemon_config, key)}
    kind: Any = importlib.import_module("pandaserver.daemons.utils").DaemonMaster
    master = kind.__new__(kind)
    master.logger = Logger()
    master.dem_config = {}
    master._parse_config()
    return {"options": found, "table": master.dem_config, "log": master.logger.lines}


def main() -> None:
    stub("psutil")
    stub("pandacommon.pandalogger", logger_utils=None)
    stub("pandacommon.pandautils.thread_utils", GenericThread=Thread, LockPool=None)
    stub("pandaserver.config.panda_config")
    config: Any = importlib.import_module("pandaserver.config")
    config.panda_config = sys.modules["pandaserver.config.panda_config"]
    import configparser  # noqa: F401, before the forks
    import copy  # noqa: F401
    import multiprocessing  # noqa: F401
    import urllib.request  # noqa: F401

    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with os.fdopen(writer, "w") as stream:
                stream.write(json.dumps(answer(json.loads(line))))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            text = stream.read()
        os.waitpid(child, 0)
        print(text or json.dumps({"crashed": True}), flush=True)


if __name__ == "__main__":
    main()
