"""Real message brokers on loopback: RabbitMQ and ActiveMQ from Debian's packages.

They run as programs of their own with everything in one directory, on ports that were free;
no service of the machine is started, enabled or touched.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests import prepare
from tests.ports import free_ports

#: What Debian has of it; `java` compiles the broker's main program, which takes a JDK.
PACKAGES = ["rabbitmq-server", "activemq", "libjolokia-core-java", "libxstream-java",
            "default-jdk-headless"]  # fmt: skip
#: What would listen to the network if it came up at boot, by the package it is in.
SERVICES = {
    "rabbitmq-server": ("rabbitmq-server.service",),
    "erlang-base": ("epmd.socket", "epmd.service"),
    "activemq": ("activemq.service",),
}
HERE = Path(__file__).parent
PASSWORD = "only-for-tests"
#: RabbitMQ: an account that may look, one that may but sees no virtual host, one without tag.
WATCHER, STRANGER, NOBODY = "watch", "stranger", "nobody"
VHOST = "osg-nma"
#: Seconds after which the counters of RabbitMQ move; 5 if nobody sets it.
INTERVAL = 1
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_ACTIVEMQ = Path("/usr/share/activemq/lib")
_JARS = Path("/usr/share/java")
#: XStream writes the answers of the statistics plugin; without it there are none.
_MORE_JARS = ("jolokia-core.jar", "json-simple.jar", "xstream.jar", "xpp3.jar")
_SLOW = 60


def install() -> None:
    """Install what is missing."""
    needed = (_RABBITMQ, _ACTIVEMQ, *(_JARS / name for name in _MORE_JARS))
    if all(path.exists() for path in needed) and shutil.which("javac"):
        return
    prepare.apt_install(PACKAGES, SERVICES)
    if missing := [str(path) for path in needed if not path.exists()]:
        raise RuntimeError(f"missing: {missing}; as root: apt install {' '.join(PACKAGES)}")


def until(what: str, true: Callable[[], Any], seconds: float = _SLOW) -> Any:
    """Return what a question answers once that is true; a failure counts as not yet."""
    end = time.monotonic() + seconds
    error: Exception | None = None
    while time.monotonic() < end:
        try:
            if found := true():
                return found
        except (OSError, ValueError, LookupError, TypeError) as exc:
            error = exc
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what} ({error})")


def _answers(place: tuple[str, int]) -> bool:
    with socket.create_connection(place):
        return True


class Program:
    """A program that runs until it is stopped, its output in a file."""

    def __init__(self, argv: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                env={**os.environ, **environment}, cwd=log.parent, start_new_session=True,
            )  # fmt: skip

    def check(self) -> None:
        """Raise if it ended by itself."""
        if self._process.poll() is not None:
            text = self.log.read_text(errors="replace")[-2000:]
            raise AssertionError(f"{self._process.args!r} ended: {text}")

    def stop(self) -> None:
        """End it and all that it started, at once; an orderly end of RabbitMQ takes 6 s."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class RabbitMq:
    """A RabbitMQ node with management and STOMP, with or without shovels."""

    def __init__(
        self, place: Path, *settings: str, authority: Path | None = None, shovels: bool = True
    ) -> None:
        """`settings` are lines for its configuration file.

        An authority, of `place` as is a PEM file with a certificate and its key, gives TLS ports.
        """
        self.place = place
        self._shovels = shovels
        #: PEM file of who signed its certificate.
        self.authority = authority
        ports = free_ports(7)
        self.amqp, self.http, self.stomp, self._dist, self._epmd_port = ports[:5]
        self.https, self.stomps = ports[5:]
        self._settings = (*settings, *self._tls()) if authority else settings
        self.url = f"http://127.0.0.1:{self.http}"
        self._epmd: Program | None = None
        self._node: Program | None = None
        self._ready = False

    def start(self) -> None:
        """Start it; `wait` until it answers."""
        self._write()
        argv = ["epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)]
        self._epmd = Program(argv, self.place / "epmd.log", {})
        port = ("127.0.0.1", self._epmd_port)
        until("epmd", lambda: _answers(port))
        self._node = Program([str(_RABBITMQ)], self.place / "out.log", self._environment())

    def wait(self) -> None:
        """Wait until it answers; it has its virtual host and accounts then."""
        if not self._ready:
            until("RabbitMQ answers", self._answers)
            # Its management is there before the ports of its clients are.
            ports = (self.amqp, self.stomp)
            until("its ports", lambda: all(_answers(("127.0.0.1", port)) for port in ports))
            self._accounts()
            self._ready = True

    def stop(self) -> None:
        """Stop it and its port mapper."""
        for one in (self._node, self._epmd):
            if one is not None:
                one.stop()
        self._node = self._epmd = None
        self._ready = False

    def restart(self) -> None:
        """Stop it and start it again, with what is durable."""
        self.stop()
        self.start()
        self.wait()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer of the management API to its administrator."""
        return call(self.url + "/api/" + path, "guest", "guest", method, body)

    def queue(self, name: str, exchange: str = "", key: str = "#", kind: str = "classic") -> None:
        """Make a durable queue, bound to an exchange if one is named."""
        settings = {"durable": True, "arguments": {"x-queue-type": kind}}
        self.call("PUT", f"queues/{VHOST}/{name}", settings)
        if exchange:
            self.call("POST", f"bindings/{VHOST}/e/{exchange}/q/{name}", {"routing_key": key})

    def exchange(self, name: str) -> None:
        """Make a topic exchange."""
        self.call("PUT", f"exchanges/{VHOST}/{name}", {"type": "topic", "durable": True})

    def shovel(self, name: str, source: str, target: str, port: int = 0) -> None:
        """Declare a shovel from a queue to another, of a broker on another port if one is given."""
        to = f"amqp://guest:guest@127.0.0.1:{port or self.amqp}/{VHOST}"
        value = {"src-protocol": "amqp091", "src-uri": f"amqp:///{VHOST}", "src-queue": source,
                 "dest-protocol": "amqp091", "dest-uri": to, "dest-queue": target}  # fmt: skip
        self.call("PUT", f"parameters/shovel/{VHOST}/{name}", {"value": value})

    def set_memory_limit(self, share: float) -> None:
        """Set the share of the machine's memory above which it raises an alarm."""
        argv = [
            str(_RABBITMQ.with_name("rabbitmqctl")),
            "-q",
            "set_vm_memory_high_watermark",
            str(share),
        ]
        subprocess.run(argv, env={**os.environ, **self._environment()}, check=True)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.place),
            "RABBITMQ_NODENAME": "sand@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(self.place / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.place / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.place / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.place / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.place / "log"),
            "RABBITMQ_PID_FILE": str(self.place / "pid"),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }  # fmt: skip

    def _tls(self) -> list[str]:
        both = next(self.place.glob("localhost*.pem")).read_text()
        begin = both.index("-----BEGIN PRIVATE KEY")
        # One file with both is something that its check of certificates fails to read.
        files = {"cacertfile": self.authority, "certfile": self.place / "certificate.pem",
                 "keyfile": self.place / "key.pem"}  # fmt: skip
        (self.place / "certificate.pem").write_text(both[:begin])
        (self.place / "key.pem").write_text(both[begin:])
        return [
            f"stomp.listeners.ssl.1 = 127.0.0.1:{self.stomps}",
            "management.ssl.ip = 127.0.0.1",
            f"management.ssl.port = {self.https}",
            *(f"{section}.{key} = {path}" for section in ("ssl_options", "management.ssl")
              for key, path in files.items()),
        ]  # fmt: skip

    def _write(self) -> None:
        plugins = ["rabbitmq_management", "rabbitmq_stomp"]
        plugins += ["rabbitmq_shovel", "rabbitmq_shovel_management"] if self._shovels else []
        (self.place / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")
        (self.place / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.http}\n"
            f"stomp.listeners.tcp.1 = 127.0.0.1:{self.stomp}\n"
            f"stomp.default_vhost = {VHOST}\n"
            f"collect_statistics_interval = {INTERVAL * 1000}\n"
            + "".join(
                f"management.sample_retention_policies.{kind}.minute = {INTERVAL}\n"
                for kind in ("global", "basic", "detailed")
            )
            + "log.file.level = warning\n"
            + "".join(f"{line}\n" for line in self._settings)
        )

    def _answers(self) -> bool:
        assert self._node is not None
        self._node.check()
        return bool(self.call("GET", "health/checks/virtual-hosts")["status"] == "ok")

    def _accounts(self) -> None:
        self.call("PUT", f"vhosts/{VHOST}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.call("PUT", f"permissions/{VHOST}/guest", everything)
        nothing = dict.fromkeys(everything, "^$")
        for name, tags in ((WATCHER, "monitoring"), (STRANGER, "monitoring"), (NOBODY, "")):
            self.call("PUT", f"users/{name}", {"password": PASSWORD, "tags": tags})
        self.call("PUT", f"permissions/{VHOST}/{WATCHER}", nothing)


class ActiveMq:
    """An ActiveMQ broker with STOMP and Jolokia, with or without the statistics plugin."""

    def __init__(
        self, place: Path, ports: list[int], *, address: str = "127.0.0.1", plugin: bool = True,
        memory: int = 64,
    ) -> None:  # fmt: skip
        """`memory` is what it may use for messages, in MiB."""
        self.place = place
        self.address = address
        self.plugin = plugin
        self._options = ["plugin" if plugin else "none", str(memory)]
        self.stomp, self.http = ports
        self.url = f"http://{address}:{self.http}"
        self._program: Program | None = None

    def start(self) -> None:
        """Start it; `wait` until it answers."""
        more = [str(_JARS / name) for name in _MORE_JARS]
        jars = ":".join([f"{_ACTIVEMQ}/*", f"{_ACTIVEMQ}/optional/*", *more])
        self._program = Program(
            ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars,
             str(HERE / "Broker.java"), str(self.place / "data"), str(HERE / "jolokia-access.xml"),
             str(self.stomp), str(self.http), WATCHER, PASSWORD, self.address, *self._options],
            self.place / "out.log", {},
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers."""
        until("ActiveMQ answers", self._answers)

    def stop(self) -> None:
        """Stop it."""
        if self._program is not None:
            self._program.stop()
        self._program = None

    def restart(self) -> None:
        """Stop it and start it again, with what is durable."""
        self.stop()
        self.start()
        self.wait()

    def read(self, name: str, attribute: str) -> Any:
        """Return an attribute of a bean."""
        return self._ask(f"read/org.apache.activemq:{name}/{attribute}")["value"]

    def search(self, pattern: str) -> list[str]:
        """Return the names of beans."""
        found: list[str] = self._ask(f"search/org.apache.activemq:{pattern}")["value"]
        return found

    def _ask(self, path: str) -> Any:
        return call(f"{self.url}/api/jolokia/{path}", WATCHER, PASSWORD)

    def _answers(self) -> bool:
        assert self._program is not None
        self._program.check()
        return bool(self._ask("version")["status"] == 200)


def call(url: str, user: str, password: str, method: str = "GET", body: object = None) -> Any:
    """Return the JSON answer to a request."""
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Origin": "http://localhost",
               "Content-Type": "application/json"}  # fmt: skip
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
    except urllib.error.HTTPError as exc:
        raise ValueError(f"{method} {url}: {exc.code} {exc.read()[:200]!r}") from exc
    return json.loads(text) if text else None


def escaped(name: str) -> str:
    """Return a name as a part of a path."""
    return quote(name, safe="")
