"""Imports and exports held against the tools themselves: Ansible, ClusterShell, OpenSSH."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from psops.exporters import FORMATS, export, select
from psops.importers import read
from psops.importers.imported import Imported
from psops.inventory import Host, Inventory
from psops.inventory.edit import bring_in
from psops.inventory.file import parse
from psops.nodeset import expand

BIN = Path(sys.executable).parent
PATH = Path("inventory.toml")

FLEET = """\
[defaults]
user = "root"

[hosts."ps[01-05].example.org"]
labels = {site = "north", "rack-no" = "7 a"}
bundles = ["testpoint"]

[hosts."ps02.example.org"]
port = 2222
jump = ["gw1", "me@gw2:2200"]
sudo = true
protected = ["sshd.service"]
waivers = [{daemon = "httpd", reason = "none here", until = 2027-01-31}]

[hosts.gw]
address = "192.0.2.1"
user = "admin"
compress = true

[hosts.six]
address = "2001:db8::6"
jump = "none"

[hosts.here]
transport = "local"

[hosts.kerberos]
transport = "openssh"

[groups.testpoint]
hosts = "ps[01-03].example.org"

[groups.measurement]
groups = ["testpoint"]
hosts = ["ps[04-05].example.org", "late"]

[groups.all-sites]
groups = ["measurement", "edge.1"]

[groups."edge.1"]
hosts = ["gw", "six"]
"""


def fleet() -> Inventory:
    return parse(FLEET, PATH)


def exported(form: str, inventory: Inventory) -> str:
    return export(form, select(inventory, inventory.hosts, 9100)).text


def again(form: str, text: str) -> Inventory:
    """Return the inventory that an import of a text makes."""
    return parse(bring_in("", PATH, read(form, text, "f"), replace=False).after, PATH)


def reached(inventory: Inventory) -> dict[str, tuple[Any, ...]]:
    """Return how each host is reached, and its groups."""
    return {
        host.name: (host.address, host.user, host.port, host.jump, host.transport, host.sudo,
                    sorted(host.groups))
        for host in inventory.hosts
    }  # fmt: skip


# Ansible


def ansible(path: Path, *words: str) -> Any:
    """Return what the real ansible-inventory says of a file."""
    done = subprocess.run(
        [BIN / "ansible-inventory", "-i", path, "--list", *words],
        env={"HOME": str(path.parent), "PATH": os.defpath, "LANG": "C.UTF-8",
             "ANSIBLE_LOCALHOST_WARNING": "0"},
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Unable to parse" not in done.stderr
    return json.loads(done.stdout)


def as_said(document: Any) -> dict[str, tuple[Any, ...]]:
    """Return what ansible-inventory says of each host: variables, and groups with those above."""
    inside = {name: [one for one in group.get("children", ()) if one != "ungrouped"]
              for name, group in document.items() if name != "_meta"}  # fmt: skip

    def members(name: str) -> set[str]:
        found = set(document.get(name, {}).get("hosts", ()))
        return found.union(*(members(one) for one in inside.get(name, ())))

    groups = {name: members(name) for name in inside if name not in ("all", "ungrouped")}
    names = members("all") | set(document.get("ungrouped", {}).get("hosts", ()))
    hostvars = document["_meta"]["hostvars"]
    said = {}
    for name in names:
        given = hostvars.get(name, {})
        port = given.get("ansible_port")
        said[name] = (
            given.get("ansible_host"), given.get("ansible_user"), int(port) if port else None,
            sorted(group for group in groups if name in groups[group]),
        )  # fmt: skip
    return said


def as_imported(inventory: Inventory) -> dict[str, tuple[Any, ...]]:
    return {host.name: (host.address, host.user, host.port, sorted(host.groups))
            for host in inventory.hosts}  # fmt: skip


def some_ini(seed: int) -> str:
    """Return an inventory with ranges, groups within groups, and variables everywhere."""
    choose = random.Random(seed)
    groups = [f"g{number}" for number in range(14)]
    lines = ["lonely[1:3].lan ansible_user=solo", "ported:2200"]

    def variables() -> list[str]:
        # The values are all different, so that a wrong order shows.
        known = {"ansible_user": f"u{choose.randrange(10**6)}",
                 "ansible_port": str(choose.randrange(1, 65536)),
                 "ansible_host": f"192.0.2.{choose.randrange(256)}"}  # fmt: skip
        return [f"{key}={known[key]}" for key in choose.sample(sorted(known), choose.randint(0, 3))]

    for place, group in enumerate(groups):
        lines.append(f"[{group}]")
        for _ in range(choose.randint(0, 3)):
            first = choose.randint(1, 30)
            pattern = choose.choice(
                [f"n[{first:02}:{first + 4:02}].x", f"n[{first}:{first + 9}:3]", f"h{first}",
                 f"r[a:c]-{first}:{choose.randint(1, 99)}"]
            )  # fmt: skip
            lines.append(" ".join([pattern, *(variables() if choose.random() < 0.3 else ())]))
        lines += [f"[{group}:vars]", *variables()]
        if choose.random() < 0.2:
            lines.append(f"ansible_group_priority={choose.randint(1, 5)}")
        lines.append(f"[{group}:children]")
        if groups[place + 1 :]:
            lines += choose.sample(groups[place + 1 :], min(2, len(groups[place + 1 :])))
    return "\n".join([*lines, "[all:vars]", *variables(), ""])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_ini_means_what_ansible_says(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(some_ini(seed))
    document = ansible(path)
    ours = again("ansible", path.read_text())
    said = as_said(document)
    assert len(said) > 30
    assert as_imported(ours) == {
        name: (None if values[0] == name else values[0], *values[1:])
        for name, values in said.items()
    }
    assert as_imported(again("ansible", json.dumps(document))) == as_imported(ours)


def test_yaml_means_what_ansible_says(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("""\
all:
  vars: {ansible_user: root}
  hosts:
    gw: {ansible_host: 192.0.2.1, ansible_port: 22}
    "[2001:db8::1]:2222":
  children:
    web:
      hosts:
        web[01:03]:
          ansible_port: &port 2022
      vars: &vars
        ansible_user: web
    prod:
      children:
        web:
        db:
          vars:
            <<: *vars
          hosts:
            db1: {ansible_port: *port}
            db[a:c].lan:
    empty:
""")
    document = ansible(path)
    ours = again("ansible", path.read_text())
    assert as_imported(ours) == as_said(document)
    assert "empty" in ours.groups


def test_an_export_is_what_ansible_reads_and_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(exported("ansible", fleet()))
    document = ansible(path)
    said = as_said(document)
    assert said == as_imported(fleet())
    hostvars = document["_meta"]["hostvars"]
    assert hostvars["ps02.example.org"]["ansible_become"] is True
    jump = "-o ProxyJump=gw1,me@gw2:2200"
    assert hostvars["ps02.example.org"]["ansible_ssh_common_args"] == jump
    assert hostvars["here"]["ansible_connection"] == "local"
    for text in (path.read_text(), json.dumps(document)):
        back = again("ansible", text)
        assert reached(back) == reached(fleet())
        assert {host.name: (dict(host.labels), host.bundles) for host in back.hosts} == {
            host.name: (dict(host.labels), host.bundles) for host in fleet().hosts
        }


def test_what_ansible_has_itself_or_cannot_have_is_no_hindrance(tmp_path: Path) -> None:
    inventory = parse(
        '[hosts.a]\nlabels = {note = "\U0001f702 \u00e9"}\n'
        '[hosts.inside]\ntransport = "container"\n'
        '[groups.all]\nhosts = "a"\n[groups.ungrouped]\nhosts = "a"\n'
        '[groups.mine]\ngroups = ["all"]\nhosts = "inside"\n', PATH,
    )  # fmt: skip
    text, notes = export("ansible", select(inventory, inventory.hosts, 1))
    assert notes == (
        "Ansible has a group 'all' of its own, so this one is left out",
        "Ansible has a group 'ungrouped' of its own, so this one is left out",
        "container hosts cannot be reached by Ansible",
    )
    path = tmp_path / "inventory.yml"
    path.write_text(text)
    document = ansible(path)
    assert {name: said[3] for name, said in as_said(document).items()} == {
        "a": ["mine"], "inside": ["mine"],
    }  # fmt: skip
    hostvars = document["_meta"]["hostvars"]
    assert hostvars["a"]["psops_labels"] == {"note": "\U0001f702 \u00e9"}
    assert "ansible_connection" not in hostvars["inside"]
    hosts = {host.name: host for host in again("ansible", text).hosts}
    assert hosts["inside"].transport == "container"
    assert hosts["a"].labels == inventory.hosts[0].labels


def test_control_characters_are_escaped_as_yaml_has_them(tmp_path: Path) -> None:
    label = "\x7f\x85\u2028\U000e0001"  # which no inventory file can have
    host = Host(name="a", labels=(("x", label),))
    path = tmp_path / "inventory.yml"
    path.write_text(exported("ansible", Inventory((host,))))
    assert ansible(path)["_meta"]["hostvars"]["a"]["psops_labels"] == {"x": label}


# ClusterShell


def clustershell(folder: Path, text: str, sources: Sequence[str]) -> dict[str, set[str]]:
    """Return the groups that the real nodeset sees, by `source.group`."""
    (folder / "groups.d").mkdir()
    (folder / "groups.d/file.yaml").write_text(text)
    (folder / "groups.conf").write_text(
        f"[Main]\ndefault: {sources[0]}\nautodir: {folder}/groups.d\n"
    )
    found: dict[str, set[str]] = {}
    for source in sources:
        done = subprocess.run(
            [BIN / "nodeset", "-s", source, "-ll"], capture_output=True, text=True, timeout=60,
            env={"PATH": os.defpath, "CLUSTERSHELL_CFGDIR": str(folder), "HOME": str(folder)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        for line in done.stdout.splitlines():
            name, _, nodes = line.partition(" ")
            group = name.removeprefix("@").rpartition(":")[2]
            found[f"{source}.{group}"] = set(expand(nodes))
    return found


def test_groups_mean_what_clustershell_says(tmp_path: Path) -> None:
    text = """\
roles:
  io: '@racks:rack2,x[1-2]'
  compute: '@racks:rack[3-4]!example7'
  both: '@io^@compute'
  spaced: 'a[1-2] b'
racks:
  rack2: 'example[4-5]'
  rack3: 'example[6-7]'
  rack4:
    - 'example[08-10]'  # with zeros
    - '@rack2&example5'
  grid: 'r[1-2]n[01-03]'
"""
    theirs = clustershell(tmp_path, text, ["roles", "racks"])
    ours = again("clustershell", text).groups
    assert len(theirs) == 8
    assert {name.partition(".")[2]: nodes for name, nodes in theirs.items()} == {
        name: set(members) for name, members in ours.items()
    }


def test_an_export_is_what_clustershell_reads_and_comes_back_whole(tmp_path: Path) -> None:
    inventory = fleet()
    text = exported("clustershell", inventory)
    theirs = clustershell(tmp_path, text, ["psops"])
    wanted = {name: set(members) for name, members in inventory.groups.items()}
    wanted["all"] = {host.name for host in inventory.hosts}
    assert theirs == {f"psops.{name}": nodes for name, nodes in wanted.items()}
    back = again("clustershell", text)
    assert {name: set(members) for name, members in back.groups.items()} == wanted
    assert back.inner["all-sites"] == inventory.inner["all-sites"]


# OpenSSH


def test_an_export_is_what_ssh_reads_and_comes_back_whole(tmp_path: Path) -> None:
    inventory = fleet()
    path = tmp_path / "config"
    path.write_text(exported("ssh-config", inventory))
    for name in ("ps01.example.org", "ps02.example.org", "gw", "six", "late"):
        (host,) = inventory.select([name])
        done = subprocess.run(
            ["ssh", "-G", "-F", path, name], capture_output=True, text=True, timeout=60
        )
        said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
        assert said["hostname"] == (host.address or name)
        assert (said["user"], said["port"]) == (host.user, str(host.port or 22))
        assert said.get("proxyjump") == (",".join(host.jump) if host.jump else None)
        assert said["compression"] == ("yes" if host.compress else "no")
    back = again("ssh-config", path.read_text())
    ours = {name: values[:4] for name, values in reached(inventory).items() if name != "here"}
    assert {name: values[:4] for name, values in reached(back).items()} == ours


# Prometheus and psops itself


def test_targets_have_the_form_of_file_sd() -> None:
    entries = json.loads(exported("prometheus", fleet()))
    targets = [target for entry in entries for target in entry["targets"]]
    assert len(targets) == len(fleet().hosts) == len(set(targets))
    assert "192.0.2.1:9100" in targets
    assert "[2001:db8::6]:9100" in targets
    for entry in entries:
        assert set(entry) <= {"targets", "labels"}
        for key, value in entry.get("labels", {}).items():
            assert key.isidentifier()
            assert key.isascii()
            assert isinstance(value, str)
    first = next(entry for entry in entries if "ps01.example.org:9100" in entry["targets"])
    assert first["labels"] == {
        "bundles": ",testpoint,", "groups": ",testpoint,measurement,all-sites,",
        "rack_no": "7 a", "site": "north",
    }  # fmt: skip
    gateway = next(entry for entry in entries if "192.0.2.1:9100" in entry["targets"])
    assert gateway["labels"]["host"] == "gw"


def test_labels_that_prometheus_cannot_tell_apart_are_told() -> None:
    inventory = parse(
        '[hosts.a]\naddress = "b"\nlabels = {rack_no = "1", "rack-no" = "2", host = "c"}\n'
        '[hosts.d]\nlabels = {host = "e"}\n', PATH,
    )  # fmt: skip
    text, notes = export("prometheus", select(inventory, inventory.hosts, 1))
    assert [entry["labels"] for entry in json.loads(text)] == [
        {"host": "a", "rack_no": "1"}, {"host": "e"},
    ]  # fmt: skip
    assert notes == (
        "label 'rack-no' is left out where 'rack_no' is another one already",
        "label 'host' is left out where 'host' is another one already",
    )


def test_json_has_the_keys_of_an_inventory_alone() -> None:
    inventory = fleet()
    hosts = inventory.select(["ps01.example.or"])
    assert hosts[0].near
    text = export("json", select(inventory, hosts, 1)).text
    assert json.loads(text)["hosts"] == {"ps01.example.or": {"user": "root"}}


def test_json_comes_back_with_everything() -> None:
    inventory = fleet()
    back = again("json", exported("json", inventory))
    assert {host.name: plain(host) for host in back.hosts} == {
        host.name: plain(host) for host in inventory.hosts
    }
    assert {name: set(members) for name, members in back.groups.items()} == {
        name: set(members) for name, members in inventory.groups.items()
    }
    assert back.inner == inventory.inner


def plain(host: Host) -> dict[str, Any]:
    values = {name: getattr(host, name) for name in Host.__dataclass_fields__}
    return values | {"groups": sorted(host.groups), "labels": dict(host.labels)}


def test_only_the_hosts_asked_for_are_exported() -> None:
    inventory = fleet()
    hosts = inventory.select(["ps01.example.org", "gw"])
    for form in FORMATS:
        text = export(form, select(inventory, hosts, 9100)).text
        assert "ps01.example.org" in text
        assert "ps02" not in text
        assert "late" not in text


def test_what_a_format_cannot_say_is_told() -> None:
    inventory = parse('[hosts."::1"]\n[hosts.a]\ntransport = "demo"\nprotected = true\n', PATH)
    notes = {form: export(form, select(inventory, inventory.hosts, 1)).notes for form in FORMATS}
    assert notes == {
        "ansible": ("demo hosts cannot be reached by Ansible",
                    "waivers and protected units are left out"),
        "clustershell": ("ClusterShell has no names with colons, so ::1 is left out",),
        "prometheus": (),
        "ssh-config": ("not reached over SSH, and left out: a",),
        "json": (),
    }  # fmt: skip


def test_an_import_is_not_changed_by_what_it_is_merged_into() -> None:
    found: Imported = read("json", exported("json", fleet()), "f")
    before = json.dumps([found.hosts, list(found.groups)], default=str)
    bring_in(FLEET, PATH, found, replace=True)
    assert json.dumps([found.hosts, list(found.groups)], default=str) == before
