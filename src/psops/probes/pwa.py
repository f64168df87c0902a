"""Whether a pSConfig web administration (PWA) works and publishes meshes.

Rule: `api/pub/controllers.js` of perfsonar/psconfig-web. The health page is 200 always, and its
`status` is "failed" on a healthy server of releases that load no profiles, so `msg` decides.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.fields import Asker, get, items, no_data, show, table, text
from psops.probes.world import World
from psops.report.text import clean, count

_GOOD = "db status ok"
#: What a mesh has some of: keys of pSConfig's template, then of the older mesh configuration.
_PARTS = ("tasks", "tests", "addresses", "groups", "organizations")


def answer(probe: Probe, world: World) -> Answer:
    """Return whether its database answers, it lists `least_meshes` meshes and serves one."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    health = table(asker.json("/pub/health"))
    said = get(health, "msg")
    status = f"it calls its status {show(health.get('status'))}"
    if said != _GOOD:
        if not isinstance(said, str):
            raise no_data(f"msg is {show(said)}, not a text; {status}")
        return wrong("unhealthy", f"its database does not answer well: {show(said)}; {status}")
    meshes = [mesh for entry in items(asker.json("/pub/config")) for mesh in _includes(entry)]
    least = asker.probe.settings["least_meshes"]
    if len(meshes) < least:
        return wrong("below-floor", f"it lists {count(len(meshes), 'mesh')}, must be {least}")
    mesh = asker.probe.settings["mesh_url"] or _own(asker, meshes)
    _read(asker, mesh)
    return right(f"{_GOOD}, {count(len(meshes), 'mesh')}, {clean(mesh)} is one; {status}")


def _includes(entry: Any) -> list[str]:
    found = get(entry, "include")
    urls = found if isinstance(found, list) else [found]
    if not urls or not all(isinstance(url, str) and url for url in urls):
        raise no_data(f"an entry of the list of meshes includes {show(found)}")
    return urls


def _own(asker: Asker, meshes: list[str]) -> str:
    """Return the first listed mesh on the server's own host; the list may name any place."""
    own = urlsplit(asker.base).hostname
    for url in meshes:
        try:
            parts = urlsplit(url)
            fits = parts.scheme in ("http", "https") and parts.hostname == own and parts.port != 0
        except ValueError:
            continue
        if fits and url.isascii() and url.isprintable() and " " not in url:
            return url
    why = f"none of the {len(meshes)} listed meshes is on {clean(str(own))}"
    raise Unanswered(unknown("partial", f"{why}; set 'mesh_url' to one of them"))


def _read(asker: Asker, url: str) -> None:
    """Read a mesh; raises `Unanswered` if it is none. Another origin is told no secret."""
    given, base = urlsplit(url), urlsplit(asker.base)
    probe = asker.probe
    if (given.scheme, given.netloc) != (base.scheme, base.netloc):
        bare = {"user": "", "secret": "", "client_cert": "", "client_key": ""}
        probe = replace(probe, settings={**probe.settings, **bare})
    mesh = table(asker.json(url, probe=probe))
    if not any(isinstance(mesh.get(part), list | dict) and mesh[part] for part in _PARTS):
        said = text(mesh, "message") if "message" in mesh else "it has no tasks and no addresses"
        raise no_data(f"{clean(url)} is no mesh: {show(said)}")
