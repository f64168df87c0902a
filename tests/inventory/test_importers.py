"""What each importer makes of files of its tool, and what it tells of what it leaves out."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.errors import ConfigError, InventoryError, UsageError
from psops.importers import FORMATS, check_format, read
from psops.importers.ansible_ranges import expand_pattern
from psops.importers.detect import detect
from psops.importers.imported import Imported, is_secret
from psops.inventory.edit import bring_in, regroup
from psops.inventory.file import parse
from psops.report.edit import notes
from psops.report.text import clean

PATH = Path("inventory.toml")


def groups_of(found: Imported) -> dict[str, str]:
    """Return each group as its hosts, and @ before groups within it."""
    return {
        name: " ".join([*(f"@{inner}" for inner in one.groups), *one.hosts])
        for name, one in found.groups.items()
    }


def told(found: Imported) -> list[str]:
    return notes(found.name, found.notes)


def into(found: Imported, text: str = "", **options: Any) -> str:
    return bring_in(text, PATH, found, replace=False, **options).after


# Ansible

ANSIBLE = """\
; mail hosts
mail.example.com ansible_ssh_user=postfix

[web]
web[01:03].example.com ansible_user=deploy  # a comment
[db]
db-[a:c]:2222 ansible_host="{{ inventory_hostname }}.lan" ansible_become=yes
db-z ansible_password=hunter2 ansible_host='{{ lookup("x") }}'

[db:vars]
ansible_ssh_pass = hunter2
ansible_ssh_common_args = '-o ProxyJump=gw1,me@gw2:2200 -o ServerAliveInterval=5'
ntp_server=time.example.com

[prod:children]
web
db

[prod:vars]
ansible_user=root
ansible_port=22

[win]
w1 ansible_connection=winrm
"""


def test_ansible_ini() -> None:
    found = read("ansible", ANSIBLE, "hosts.ini")
    assert list(found.hosts) == [
        "mail.example.com", "web01.example.com", "web02.example.com", "web03.example.com",
        "db-a", "db-b", "db-c", "db-z",
    ]  # fmt: skip
    assert found.hosts["mail.example.com"] == {"user": "postfix"}
    assert found.hosts["web02.example.com"] == {"user": "deploy", "port": 22}
    jump = ["gw1", "me@gw2:2200"]
    assert found.hosts["db-b"] == {
        "address": "db-b.lan", "user": "root", "port": 2222, "jump": jump, "sudo": True,
    }  # fmt: skip
    assert found.hosts["db-z"] == {"user": "root", "port": 22, "jump": jump}
    assert groups_of(found) == {
        "web": "web01.example.com web02.example.com web03.example.com",
        "db": "db-a db-b db-c db-z",
        "prod": "@web @db",
        "win": "",
    }
    assert told(found) == [
        "hosts.ini:8: ansible_host is computed by Ansible; left out",
        "hosts.ini:8: ansible_password may be a secret; left out",
        "hosts.ini:11: ansible_ssh_pass may be a secret; left out",
        "hosts.ini:12: ansible_ssh_common_args -o ServerAliveInterval=5: give it in the ssh"
        " configuration; left out",
        "hosts.ini:13: ntp_server has no place in an inventory of psops; left out",
        "hosts.ini:24: hosts with ansible_connection=winrm are not for psops; left out",
    ]


def test_no_secret_of_an_ansible_inventory_gets_anywhere() -> None:
    names = ["ansible_password", "ansible_ssh_pass", "ansible_become_password", "ansible_sudo_pass",
             "vault_token", "api_key", "DB_PASSWORD"]  # fmt: skip
    assert all(map(is_secret, names))
    given_here = " ".join(f"{name}=hunter2" for name in names)
    found = read("ansible", f"[a]\nh {given_here} x=hunter2\n[a:vars]\ny=hunter2\n", "f")
    assert "hunter2" not in into(found)
    assert "hunter2" not in repr([found.hosts, found.groups, found.notes])
    vault = """\
all:
  hosts:
    h:
      ansible_user: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        6162
      motd: !vault "6162"
"""
    found = read("ansible", vault, "f")
    assert found.hosts == {"h": {}}
    assert "6162" not in repr(found.notes)
    assert told(found) == [
        "f:4: ansible_user is computed by Ansible; left out",
        "f:7: motd may be a secret; left out",
    ]


def test_sudo_with_a_password_is_no_way_of_psops() -> None:
    text = "a ansible_become=yes ansible_become_pass=x\nb ansible_become=1\n"
    text += "c ansible_become=yes ansible_become_method=su\n"
    found = read("ansible", text, "f")
    assert found.hosts == {"a": {}, "b": {"sudo": True}, "c": {}}
    assert told(found) == [
        "f:1: ansible_become with a password is no way of psops; left out",
        "f:1: ansible_become_pass may be a secret; left out",
        "f:3: ansible_become_method 'su' is no way of psops; left out",
    ]


def test_sudo_to_another_user_than_root_is_no_way_of_psops() -> None:
    text = "[a]\nx\ny ansible_become_user=root\nz ansible_become_user='{{ me }}'\n"
    text += "p ansible_become_user=postgres\nq ansible_become=no ansible_become_user=postgres\n"
    found = read("ansible", f"{text}[a:vars]\nansible_become=yes\n", "f")
    assert found.hosts == {"x": {"sudo": True}, "y": {"sudo": True}, "z": {}, "p": {}, "q": {}}
    why = "ansible_become_user is not root, which is no way of psops; left out"
    assert found.notes == [(4, why), (5, why)]


def test_ansible_yaml() -> None:
    text = """\
---
all:
  vars: {ansible_user: root}
  hosts:
    gw: {ansible_host: 192.0.2.1, ansible_port: 22}
  children:
    web:
      hosts:
        web[1:2]:
          ansible_port: &port 2022
      vars: &vars
        ansible_become: true
    prod:
      children:
        web:
        db:
          vars:
            <<: *vars
          hosts:
            db1: {ansible_port: *port}
            db2:
      colour: red
"""
    found = read("ansible", text, "hosts.yml")
    assert found.hosts == {
        "gw": {"address": "192.0.2.1", "user": "root", "port": 22},
        "web1": {"user": "root", "port": 2022, "sudo": True},
        "web2": {"user": "root", "port": 2022, "sudo": True},
        "db1": {"user": "root", "port": 2022, "sudo": True},
        "db2": {"user": "root", "sudo": True},
    }
    assert groups_of(found) == {"web": "web1 web2", "prod": "@web @db", "db": "db1 db2"}
    assert told(found) == [
        "hosts.yml:22: 'colour' in group 'prod' is none of hosts, children, vars; left out"
    ]


def test_ansible_vars_overwrite_each_other_as_ansible_says() -> None:
    text = """\
[b]
h
[a]
h
[c:children]
a
[a:vars]
ansible_user=a
[b:vars]
ansible_user=b
ansible_port=1
[c:vars]
ansible_user=c
ansible_port=3
[all:vars]
ansible_host=all
ansible_port=9
"""
    # all, then b and c by their names, then a, which is deeper.
    found = read("ansible", text, "f")
    assert found.hosts["h"] == {"address": "all", "user": "a", "port": 3}
    priority = text.replace("[b:vars]", "[b:vars]\nansible_group_priority=10")
    assert read("ansible", priority, "f").hosts["h"]["port"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a:nonsense]\nx\n", "f:1: a section of the kind 'nonsense' is unknown"),
        ("[a]\n[b\n", "f:2: not a section such as [name] or [name:vars]"),
        ("[a:vars]\nx\n", "f:2: not NAME=VALUE"),
        ("[a]\nx y\n", "f:2: behind a host only NAME=VALUE can stand"),
        ("[a]\nx y='z\n", "f:2: no closing quotation"),
        ("[a:children]\nb c\n", "f:2: 'b c' is not the name of a group"),
        ("[a:children]\nb\n[b:children]\na\n", "f:1: groups contain each other: a -> b -> a"),
        ("---\n- x\n", "f:2: no table of groups"),
        ("all:\n  hosts: [a\n", "f:3: not YAML: did not find expected ',' or ']'"),
        ("all:\n  hosts: 3\n", "f:2: hosts of group 'all' must be a table"),
        ("a: &a\n  children:\n    a: *a\n", "f:3: nested too deeply"),
        ("all:\n  vars:\n    <<: a\n", "f:3: '<<' takes mappings"),
        ("all:\n  vars:\n    <<: [{a: 1}, 2]\n", "f:3: '<<' takes mappings"),
        ("{", "f:1: not JSON: Expecting property name enclosed in double quotes"),
        ("#!/bin/sh\n", "f:1: a program: run it with --list and import what it prints"),
    ],
)
def test_what_is_no_ansible_inventory_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("ansible", text, "f")
    assert str(caught.value).startswith(message), caught.value


@pytest.mark.parametrize(
    ("pattern", "names", "port"),
    [
        ("a", "a", None),
        ("a:22", "a", 22),
        ("web[1:3]", "web1 web2 web3", None),
        ("web[01:05:2].x", "web01.x web03.x web05.x", None),
        ("web[:2]", "web0 web1 web2", None),
        ("r[1:2]n[a:b]:22", "r1na r1nb r2na r2nb", 22),
        ("x[W:b]", "", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("[2001:db8::1]:22", "2001:db8::1", 22),
    ],
)
def test_ansible_host_patterns(pattern: str, names: str, port: int | None) -> None:
    if not names:
        with pytest.raises(ValueError, match="goes down"):
            expand_pattern(pattern)
    else:
        assert expand_pattern(pattern) == (names.split(), port)


@pytest.mark.parametrize("pattern", ["a[1:999999]", "a[1:900]b[1:900]", "a[01:100]", "a[1:]",
                                     "a[b:3]", "a[1:9:0]", "a[9:1]"])  # fmt: skip
def test_wrong_ansible_ranges_are_notes(pattern: str) -> None:
    found = read("ansible", f"ok\n{pattern}\n", "f")
    assert list(found.hosts) == ["ok"]
    assert told(found)[0].startswith("f:2: ")


# Files of OpenSSH

SSH = """\
User everybody
Host *.lan !gw.lan
  Port 2200
Host gw gw.lan
  HostName gw.example.org
  User=me
  IdentityFile ~/.ssh/gw
Host a.lan b.lan
  ProxyJump gw
  HostName %h.example.org
Host *
  Compression yes
  ProxyJump none
Match host c
  User nobody
Include more
"""


def test_ssh_config() -> None:
    found = read("ssh-config", SSH, "config")
    rest = {"user": "everybody", "compress": True}
    gateway = {"address": "gw.example.org", "jump": []}
    assert found.hosts == {
        "gw": {**rest, **gateway},
        "gw.lan": {**rest, **gateway},
        "a.lan": {**rest, "port": 2200, "jump": ["gw"], "address": "a.lan.example.org"},
        "b.lan": {**rest, "port": 2200, "jump": ["gw"], "address": "b.lan.example.org"},
    }
    assert told(found) == [
        "config:7: keys stay in the ssh configuration",
        "config:14: Match is evaluated by ssh alone; what stands under it is left out",
        "config:16: 'more' is not followed: import it too",
    ]


@pytest.mark.parametrize("none", ["none", "None", "NONE"])
def test_no_jump_host_in_any_case(none: str) -> None:
    found = read("ssh-config", f"Host a\n  ProxyJump {none}\n", "f")
    assert found.hosts == {"a": {"jump": []}}


def test_known_hosts() -> None:
    key, other = "AAAAC3NzaC1lZDI1NTE5AAAAIA", "AAAAC3NzaC1lZDI1NTE5AAAAIB"
    text = f"""\
# comment
ps01,ps01.example.org,192.0.2.1 ssh-ed25519 {key}
[ps02]:2222 ssh-ed25519 {other} me@here
192.0.2.1 ssh-rsa {key}
192.0.2.9 ssh-rsa {other[:-1]}C
|1|c2FsdA==|aGFzaA== ssh-ed25519 {key}
|1|c2FsdA==|aGFzaB== ssh-ed25519 {key}
*.example.org,!x ssh-rsa {key}
@cert-authority * ssh-rsa {key}
@revoked * ssh-rsa {key}
nonsense
"""
    found = read("known-hosts", text, "kh")
    assert found.hosts == {"ps01": {}, "ps02": {"port": 2222}, "192.0.2.9": {}}
    assert told(found) == [
        "kh:6: 2 hashed names, which cannot be read; left out",
        "kh:8: '*.example.org,!x' is a pattern, no host; left out",
        "kh:9: an authority's key names no host; left out",
        "kh:11: no line of known_hosts; left out",
    ]


def test_port_of_a_known_host_is_that_of_its_first_line() -> None:
    text = "gw ssh-rsa K1\n[gw]:2222 ssh-rsa K2\n[b]:2222 ssh-rsa K3\nb ssh-rsa K4\n"
    found = read("known-hosts", f"{text}[b]:2222,gw ssh-dss K5\n", "kh")
    assert found.hosts == {"gw": {}, "b": {"port": 2222}}
    assert told(found) == [
        "kh:2: port 2222 of 'gw', which has 22 already; left out",
        "kh:4: port 22 of 'b', which has 2222 already; left out",
    ]


# pSConfig

TEMPLATE = {
    "addresses": {
        "a-lat": {"address": "ps-lat.a.example", "host": "a"},
        "a-bw": {"address": "192.0.2.7", "host": "a"},
        "b": {"address": "ps.b.example", "host": "b"},
        "c": {"address": "2001:db8::7"},
        "off": {"address": "off.example", "disabled": True},
        "gone": {"address": "gone.example", "host": "gone"},
        "dynamic": {"address": "{% scheduled_by_address %}"},
    },
    "hosts": {"a": {}, "b": {}, "gone": {"disabled": True}},
    "groups": {
        "mesh": {"type": "mesh", "addresses": [{"name": "a-lat"}, {"name": "b"}, {"name": "off"}]},
        "pairs": {"type": "disjoint", "a-addresses": [{"name": "c"}],
                  "b-addresses": [{"name": "a-bw"}, {"class": "k"}, {"name": "nope"}]},
        "unused": {"type": "list", "addresses": [{"name": "b"}]},
        "every one": {"type": "list", "addresses": [{"name": "b"}]},
    },
    "tests": {"t": {"type": "throughput", "spec": {}}},
    "tasks": {
        "throughput": {"group": "mesh", "test": "t"},
        "latency": {"group": "pairs", "test": "t"},
        "both": {"group": "mesh", "test": "t"},
        "listed": {"group": "every one", "test": "t"},
        "stopped": {"group": "unused", "test": "t", "disabled": True},
        "broken": {"group": "none", "test": "t"},
    },
}  # fmt: skip


def test_psconfig() -> None:
    found = read("psconfig", json.dumps(TEMPLATE, indent=1), "t.json")
    assert list(found.hosts) == ["ps-lat.a.example", "ps.b.example", "2001:db8::7"]
    assert groups_of(found) == {
        "mesh": "ps-lat.a.example ps.b.example",
        "throughput": "@mesh",
        "pairs": "2001:db8::7 ps-lat.a.example",
        "latency": "@pairs",
        "both": "@mesh",
        "every-one": "ps.b.example",
        "listed": "@every-one",
    }
    shown = "\n".join(told(found))
    for text in ("'ps-lat.a.example' has other addresses (192.0.2.7)", "address 'off' is disabled",
                 "host 'gone' is disabled", "address 'dynamic' is no plain address",
                 "task 'stopped' is disabled", "group 'unused' is used by no task",
                 "group 'pairs': the class 'k' is found by each agent",
                 "group 'pairs': no address 'nope'",
                 "task 'broken' has no group",
                 "group 'every one' is called 'every-one'"):  # fmt: skip
        assert text in shown
    assert all(line.partition(":")[2][:1].isdigit() for line in told(found)), "all have lines"


def test_task_named_like_another_group_of_a_template() -> None:
    document = {
        "addresses": {"a": {"address": "a.x"}, "b": {"address": "b.x"}},
        "groups": {name: {"type": "list", "addresses": [{"name": name}]} for name in "ab"},
        "tasks": {"a": {"group": "b"}, "b": {"group": "a"}, "task-b": {"group": "b"}},
    }
    found = read("psconfig", json.dumps(document), "f")
    assert groups_of(found) == {
        "a": "a.x", "b": "b.x", "task-a": "@b", "task-task-b": "@a", "task-b": "@b",
    }  # fmt: skip
    assert told(found) == [
        "f:1: task 'a' is called like another group; its own is called 'task-a'",
        "f:1: task 'b' is called like another group; its own is called 'task-task-b'",
    ]
    assert set(parse(into(found), PATH).members("task-a")) == {"b.x"}


def test_psconfig_classes() -> None:
    def tag(name: str) -> dict[str, Any]:
        return {"type": "tag", "tag": name}

    here = {"type": "current-config"}
    agents = {"type": "host", "no-agent": False}
    filters: dict[str, dict[str, Any]] = {
        "everyone": {},
        "fast": {"match-filter": tag("THR")},
        "slow": {"exclude-filter": tag("thr")},
        "both": {"match-filter": {"type": "and", "filters": [tag("thr"), tag("lat")]}},
        "any": {"match-filter": {"type": "or", "filters": [tag("lat"), tag("site")]}},
        "not-fast": {"match-filter": {"type": "not", "filter":
                                      {"type": "address-class", "class": "fast"}}},
        "measured": {"match-filter": agents},
        "by-net": {"match-filter": {"type": "netmask", "netmask": "192.0.2.0/24"}},
        "itself": {"match-filter": {"type": "address-class", "class": "itself"}},
    }  # fmt: skip
    classes = {name: {"data-source": here} | given for name, given in filters.items()}
    classes["asking"] = {"data-source": {"type": "requesting-agent"}}
    document = {
        "addresses": {
            "a": {"address": "a.x", "tags": ["thr", "lat"]},
            "b": {"address": "b.x", "tags": ["Thr"], "host": "hb"},
            "c": {"address": "c.x", "host": "hc"},
        },
        "hosts": {"hb": {"tags": ["site"], "no-agent": True}, "hc": {}},
        "address-classes": classes,
        "groups": {name: {"type": "list", "addresses": [{"class": name}]} for name in classes},
        "tasks": {f"t-{name}": {"group": name} for name in classes},
    }
    found = read("psconfig", json.dumps(document), "f")
    groups = {name: one for name, one in groups_of(found).items() if name in classes}
    assert groups == {
        "everyone": "a.x b.x c.x", "fast": "a.x b.x", "slow": "c.x", "both": "a.x",
        "any": "a.x b.x", "not-fast": "c.x", "measured": "c.x",
        "by-net": "", "itself": "", "asking": "",
    }  # fmt: skip
    undecided = [line.split("'")[1] for line in told(found)]
    assert undecided == ["by-net", "itself", "asking"]


# ParaStation, ClusterShell, genders, Slurm, /etc/hosts, lists


def test_parastation() -> None:
    text = """\
Hardware p4sock {
}
hwtype p4sock
Nodes {
  node00 0
  $generate 1-3 node${0,2} $ hwtype none
}
"""
    found = read("parastation", text, "parastation.conf")
    ids = {host: values["labels"]["psid_id"] for host, values in found.hosts.items()}
    assert ids == {f"node0{n}": str(n) for n in range(4)}
    assert groups_of(found) == {"compute": "node00 node01 node02 node03", "p4sock": "node00"}
    with pytest.raises(ConfigError, match=r"^p\.conf:1: "):
        read("parastation", "nonsense", "p.conf")


def test_clustershell_text() -> None:
    text = (
        "adm: mgmt[1-2]\n# no\ncompute: node[1-4],node6\nall: @adm,@compute\nodd: @all!node[1-5]\n"
    )
    found = read("clustershell", text, "groups")
    assert groups_of(found) == {
        "adm": "mgmt1 mgmt2",
        "compute": "node1 node2 node3 node4 node6",
        "all": "@adm @compute",
        "odd": "mgmt1 mgmt2 node6",
    }


def test_clustershell_yaml() -> None:
    text = """\
roles:
  io: '@racks:rack2,x1'
  compute: '@racks:rack[3-4]'
  none:
  all: '@*'
racks:
  rack2: 'example[4-5]'
  rack[3-4]: oops
  rack3: 'example[6-7]'
  rack4:
    - 'example8'
    - '@rack2 & example5'
  all: '@rack2,@nope'
"""
    found = read("clustershell", text, "g.yaml")
    assert groups_of(found) == {
        "io": "@rack2 x1",
        "compute": "@rack3 @rack4",
        "none": "",
        "roles.all": "example4 example5 x1 example6 example7",
        "rack2": "example4 example5",
        "rack-3-4": "oops",
        "rack3": "example6 example7",
        "rack4": "example5",
        "racks.all": "@rack2",
    }
    assert told(found) == [
        "g.yaml:8: group 'rack[3-4]' is called 'rack-3-4': psops has letters, digits, '_', '.'"
        " and '-' there",
        "g.yaml:13: group 'all': '@nope' is no group of this file; left out",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: @b\nb: @a\n", "g:1: groups contain each other: a -> b -> a"),
        ("nonsense\n", "g:1: not 'group: nodes'"),
        ("s:\n  a: {b: c}\n", "g:2: group 'a' is no set of nodes"),
        ("s:\n  1: c\n", "g:2: the group '1' needs quotes"),
    ],
)
def test_what_are_no_clustershell_groups(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("clustershell", text, "g")
    assert str(caught.value) == message


def test_genders() -> None:
    text = "n[1-2] compute,rack=A%%,fqdn=%n.lan\nn3 login\nn2 login  # both\nn4\n"
    found = read("genders", text, "genders")
    assert found.hosts["n2"] == {"labels": {"rack": "A%", "fqdn": "n2.lan"}}
    assert groups_of(found) == {"compute": "n1 n2", "login": "n3 n2"}
    assert "n4" in found.hosts
    with pytest.raises(ConfigError, match="genders:1: more than nodes and attributes"):
        read("genders", "a b c\n", "genders")


def test_no_secret_of_a_list_or_genders_gets_anywhere() -> None:
    text = "n[1-2] web,ipmi_password=hunter2,rack=7,api_token=hunter2\nn3 bmc_secret=hunter2\n"
    genders = read("genders", text, "genders")
    assert genders.hosts == {
        "n1": {"labels": {"rack": "7"}}, "n2": {"labels": {"rack": "7"}}, "n3": {}
    }  # fmt: skip
    assert told(genders)[0] == "genders:1: ipmi_password may be a secret; left out"
    text = """\
web01 ansible_password="my hunter2" ansible_user=root
root:hunter2@web02 web03
web04 api_token=hunter2
web05 a_password:hunter2@x
"""
    plain = read("plain", text, "list")
    assert list(plain.hosts) == ["web01", "web03", "web04", "web05"]
    assert told(plain) == [
        "list:1: ansible_password may be a secret; it and what follows are left out",
        "list:2: 'root:***@web02' has a password; left out",
        "list:3: api_token may be a secret; it and what follows are left out",
        "list:4: 'a_password:***@x' has a password; left out",
    ]
    for found in (genders, plain):
        assert "hunter2" not in into(found) + str(found.notes)


@pytest.mark.parametrize("form", ["ansible", "genders", "hosts", "known-hosts", "plain"])
@pytest.mark.parametrize(
    "text",
    ["root:hunter2@web01\n", "web01 ipmi_password=hunter2\n", "admin_password=hunter2 web01\n"],
)
def test_no_message_quotes_a_secret(text: str, form: str) -> None:
    try:
        said = str(read(form, text, "f").notes)
    except ConfigError as exc:
        said = str(exc)
    assert "hunter2" not in said


def test_slurm() -> None:
    text = """\
ClusterName=x
NodeName=DEFAULT CPUs=4
NodeName=gpu[1-2] NodeAddr=10.0.0.[1-2] Port=7000 \\
  Gres=gpu:4  # four
NodeName=cpu[01-03] Feature="a,b"
NodeName=odd[1-2] NodeAddr=10.0.1.1
NodeSet=fast Nodes=gpu1,cpu[01-02]
PartitionName=DEFAULT State=UP
PartitionName=main Nodes=cpu[01-03],gpu[1-2] Default=YES
PartitionName=quick Nodes=fast
PartitionName=every Nodes=ALL
include /etc/slurm/more.conf
"""
    found = read("slurm", text, "slurm.conf")
    assert found.hosts == {
        "gpu1": {"address": "10.0.0.1"}, "gpu2": {"address": "10.0.0.2"},
        "cpu01": {}, "cpu02": {}, "cpu03": {}, "odd1": {}, "odd2": {},
    }  # fmt: skip
    assert groups_of(found) == {
        "fast": "gpu1 cpu01 cpu02",
        "main": "cpu01 cpu02 cpu03 gpu1 gpu2",
        "quick": "@fast",
        "every": "gpu1 gpu2 cpu01 cpu02 cpu03 odd1 odd2",
    }
    assert told(found) == [
        "slurm.conf:6: 1 addresses for 2 nodes; left out",
        "slurm.conf:12: '/etc/slurm/more.conf' is not followed: import it too",
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [("slurm", "NodeName=n[1,3],m1\nNodeSet=g Nodes=n[1,3],m[1-2\n"),
     ("clustershell", "a: b\ng: n[1,3],m[1-2\n")],
)  # fmt: skip
def test_bracket_that_is_not_closed_is_told(form: str, text: str) -> None:
    found = read(form, text, "f")
    assert groups_of(found)["g"] == "n1 n3"
    (note,) = told(found)
    assert note.startswith("f:2: ")
    assert note.endswith("'m[1-2': '[' without its partner; left out")


@pytest.mark.parametrize(
    ("names", "addresses", "told_of"),
    [
        ("n[1,3]", "10.0.0.[1,3]", False),
        ("n[3,1]", "10.0.0.[1,3]", True),
        ("n[1,3]", "10.0.0.[3,1]", True),
        ("n3,n1", "10.0.0.[1,3]", False),
        ("r[1-2]n[1,3]", "10.[1-2].0.[1,3]", False),
    ],
)
def test_addresses_of_slurm_pair_as_they_are_written(
    names: str, addresses: str, told_of: bool
) -> None:
    found = read("slurm", f"NodeName={names} NodeAddr={addresses}\n", "f")
    why = "f:1: addresses for ranges that do not ascend; left out"
    assert told(found) == ([why] if told_of else [])
    assert any("address" in values for values in found.hosts.values()) is not told_of


def test_hosts_file() -> None:
    text = """\
127.0.0.1 localhost
::1 localhost ip6-localhost
ff02::1 ip6-allnodes
192.0.2.1 ps01.example.org ps01  # the first
2001:db8::1 ps01.example.org
fe80::1 near
192.0.2.2
not-an-address x
"""
    found = read("hosts", text, "/etc/hosts")
    assert found.hosts == {"ps01.example.org": {"address": "192.0.2.1"}}
    assert told(found) == [
        "/etc/hosts:4: other names of a host are not carried over",
        "/etc/hosts:5: 'ps01.example.org' has 192.0.2.1 already; left out",
        "/etc/hosts:6: fe80::1 can only be reached with its interface; left out",
        "/etc/hosts:7: an address without a name; left out",
        "/etc/hosts:8: 'not-an-address' is not an address; left out",
    ]


def test_plain_list() -> None:
    text = "node[01-03],gw me@a:22\n# no\n@group -x\nb # yes\n[2001:db8::1]:2200\n"
    found = read("plain", text, "list")
    assert found.hosts == {
        "node01": {}, "node02": {}, "node03": {}, "gw": {}, "a": {"user": "me", "port": 22},
        "b": {}, "2001:db8::1": {"port": 2200},
    }  # fmt: skip
    assert told(found) == [
        "list:3: '@group': a list has no groups; left out",
        "list:3: '-x' is not a host name; left out",
    ]


# Telling formats apart

SAMPLES = {
    "ansible": [ANSIBLE, "all:\n  hosts:\n    a:\n", '{"_meta": {"hostvars": {}}}',
                "h ansible_host=1\n"],
    "ssh-config": [SSH, "Host a\n"],
    "known-hosts": ["ps01 ssh-ed25519 AAAAC3Nz\n"],
    "psconfig": [json.dumps(TEMPLATE)],
    "parastation": ["InstallDir /opt/ps\nNodes {\n a 0\n}\n"],
    "clustershell": ["adm: mgmt[1-2]\nall: @adm\n", "roles:\n  a: b\n"],
    "slurm": ["NodeName=a\n"],
    "hosts": ["127.0.0.1 localhost\n10.0.0.1 a\n"],
    "plain": ["a\nb[1-3]\n"],
    "json": ['{"psops": "1", "hosts": {}}'],
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text"), [(form, one) for form in SAMPLES for one in SAMPLES[form]]
)
def test_format_is_told_by_what_a_file_says(form: str, text: str) -> None:
    assert detect(text, "some/file") == form


@pytest.mark.parametrize(
    ("name", "form"),
    [("/etc/genders", "genders"), ("parastation.conf", "parastation"), ("slurm.conf", "slurm"),
     ("~/.ssh/known_hosts", "known-hosts"), ("groups.d/local.cfg", "clustershell")],
)  # fmt: skip
def test_format_is_told_by_the_name_of_a_file(name: str, form: str) -> None:
    assert detect("", name) == form


@pytest.mark.parametrize("text", ["a b\nc d\n", "", '{"x": 1}', "{"])
def test_what_cannot_be_told_is_asked_for(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        detect(text, "file")
    assert "genders" in caught.value.remedy


def test_every_format_has_a_module_and_a_sample() -> None:
    assert {*SAMPLES, "genders"} == set(FORMATS)
    with pytest.raises(UsageError, match="did you mean 'ansible'"):
        check_format("ansibel")


# Any text

PIECES = st.sampled_from(
    ["[", "]", ":", "=", ",", "\n", " ", "#", "@", "a", "node[1-3]", "Host ", "NodeName=", "Nodes=",
     "hosts:\n", "  children:\n", "all:\n", "{", "}", '"', "'", "\\", "$generate", "1-3",
     "192.0.2.1",
     "*", "!", "&", "ansible_host=", "ansible_port=", "[a:vars]\n", "[a:children]\n", "\x1b", "é",
     '"addresses": {', '"hosts": {', '"groups": {', "include ", "|1|", "ssh-rsa AAAA", "- ", "<<: "]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("form", FORMATS)
@given(text=st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60)))
def test_no_text_raises_anything_but_expected_errors(form: str, text: str) -> None:
    error = ""
    try:
        found = read(form, text, "file")
    except (ConfigError, UsageError) as exc:
        error = str(exc)
    if error:
        assert error.startswith("file")
        assert clean(error) == error
        return
    assert all(clean(line) == line for line in told(found))
    parse(into(found), PATH)  # and what is found is an inventory


JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4),
              st.sampled_from(["a", "b", "host", "192.0.2.1"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(
            ["addresses", "hosts", "groups", "tasks", "group", "address", "name", "host", "_meta",
             "hostvars", "children", "vars", "a", "b", "all", "labels", "port", "bundles",
             "waivers", "ansible_host", "psops_labels", "psops_bundles", "disabled", "includes"]
        ), inner, max_size=5),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("form", ["ansible", "psconfig", "json"])
@given(document=JSONS)
def test_no_json_raises_anything_but_expected_errors(form: str, document: Any) -> None:
    try:
        found = read(form, json.dumps(document), "file")
    except ConfigError:
        return
    parse(into(found), PATH)


@pytest.mark.parametrize("wrong", [5, None, {"a": 1}, "a", [7]])
@pytest.mark.parametrize("key", ["hosts", "groups"])
def test_group_that_has_no_list_of_names_is_told(key: str, wrong: Any) -> None:
    document = {"hosts": {"a": {}}, "groups": {"g": {key: wrong}, "h": {"hosts": ["a"]}}}
    found = read("json", json.dumps(document), "f")
    assert groups_of(found) == {"g": "", "h": "a"}
    assert told(found) == [f"f: group 'g', key '{key}': no list of names; left out"]


# Into a file


def test_what_hosts_share_is_said_once() -> None:
    text = into(read("ansible", ANSIBLE, "hosts.ini"))
    assert (
        text
        == """\
[hosts."mail.example.com"]
user = "postfix"

[hosts.db-a]
address = "db-a.lan"
port = 2222
sudo = true

[hosts.db-b]
address = "db-b.lan"
port = 2222
sudo = true

[hosts.db-c]
address = "db-c.lan"
port = 2222
sudo = true

[hosts.db-z]
port = 22

[groups.web]
hosts = ["web[01-03].example.com"]
user = "deploy"
port = 22

[groups.db]
hosts = ["db-a", "db-b", "db-c", "db-z"]
user = "root"
jump = ["gw1", "me@gw2:2200"]

[groups.prod]
groups = ["web", "db"]

[groups.win]
hosts = []
"""
    )


def test_what_the_file_says_of_a_host_stays_unless_asked_otherwise() -> None:
    mine = '[defaults]\nuser = "root"\n[hosts.a]\nport = 1 # mine\nlabels = {x = "1"}\n'
    found = read("json", json.dumps({"hosts": {
        "a": {"port": 2, "user": "me", "labels": {"x": "2", "y": "3"}, "bundles": ["b"]},
    }}), "f")  # fmt: skip
    edit = bring_in(mine, PATH, found, replace=False)
    assert "port = 1 # mine" in edit.after
    (host,) = parse(edit.after, PATH).hosts
    assert (host.user, dict(host.labels), host.bundles) == ("me", {"x": "1", "y": "3"}, ("b",))
    assert [note.text for note in edit.notes] == [
        "a: the inventory gives another port, which is kept (not 2)",
        "a: the inventory gives another labels.x, which is kept (not '2')",
    ]
    edit = bring_in(mine, PATH, found, replace=True)
    (host,) = parse(edit.after, PATH).hosts
    assert (host.port, dict(host.labels)) == (2, {"x": "2", "y": "3"})
    assert edit.notes == ()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    "mine",
    ['waivers = [{daemon = "a", reason = "r"}]',
     'waivers = [\n  {daemon = "a", reason = "r"},  # mine\n  # "b"\n]',
     'waivers = [\n  # nothing yet\n]'],
)  # fmt: skip
@pytest.mark.parametrize("names", ["ab", "b"])
def test_waivers_are_added_to_those_of_the_file(names: str, mine: str, replace: bool) -> None:
    waivers = [{"daemon": name, "reason": "r", "until": "2027-01-31"[:10 * (name == "b")]}
               for name in names]  # fmt: skip
    waivers = [{key: text for key, text in one.items() if text} for one in waivers]
    found = read("json", json.dumps({"hosts": {"h": {"waivers": waivers}}}), "f")
    edit = bring_in(f"[hosts.h]\n{mine}\n", PATH, found, replace=replace)
    (host,) = parse(edit.after, PATH).hosts
    assert {one.daemon for one in host.waivers} == {*names, *("a" if "daemon" in mine else "")}
    assert len(host.waivers) == len({*host.waivers})
    assert edit.notes == ()
    assert edit.after.count("#") == mine.count("#")


@pytest.mark.parametrize(
    ("mine", "theirs", "result"),
    [
        ('["b"]', ["a"], ("b", "a")),
        ('["a", "b"]', ["b"], ("a", "b")),
        ("true", ["a"], True),
        ('["b"]', True, True),
        ("[]", False, ()),
    ],
)
def test_what_is_protected_may_be_more_than_was_imported(
    mine: str, theirs: list[str] | bool, result: tuple[str, ...] | bool
) -> None:
    document = {"hosts": {"h": {"protected": theirs}}}
    after = into(read("json", json.dumps(document), "f"), f"[defaults]\nprotected = {mine}\n")
    assert parse(after, PATH).hosts[0].protected == result


def test_what_the_defaults_say_is_not_said_again() -> None:
    found = read("plain", "root@a:22 me@b:22", "f")
    mine = '[defaults]\nuser = "root"\nport = 22\n'
    assert into(found, mine) == mine + '\n[hosts.a]\n\n[hosts.b]\nuser = "me"\n'


def test_tables_of_the_file_do_not_overrule_what_is_imported() -> None:
    mine = '[groups.inner]\nuser = "them"\nport = 1\n'
    document = {"hosts": {"a": {"user": "me"}, "b": {"user": "me"}},
                "groups": {"outer": {"groups": ["inner"]}, "inner": {"hosts": ["a", "b"]}},
                }  # fmt: skip
    after = parse(into(read("json", json.dumps(document), "f"), mine), PATH)
    assert [(host.user, host.port) for host in after.hosts] == [("me", 1), ("me", 1)]
    # The defaults would be enough, were it not for the group.
    mine = '[defaults]\nuser = "me"\n' + mine
    after = parse(into(read("json", json.dumps(document), "f"), mine), PATH)
    assert [host.user for host in after.hosts] == ["me", "me"]


def test_hosts_that_are_not_imported_keep_their_settings() -> None:
    text = "[inner]\ny1\ny2\n[inner:vars]\nansible_user=root\nansible_become=true\n"
    found = read("ansible", f"{text}[outer:children]\ninner\n", "f")
    for mine in (
        '[groups.inner]\nhosts = ["x"]\n',
        '[groups.inner]\ngroups = ["deep"]\n[groups.deep]\nhosts = "x"\n',
    ):
        after = parse(into(found, mine), PATH)
        hosts = {host.name: (host.user, host.sudo) for host in after.hosts}
        assert hosts == {"x": (None, False), "y1": ("root", True), "y2": ("root", True)}
        assert set(after.members("outer")) == {"x", "y1", "y2"}
    # Where a group of the file has settings, it cannot take a host in without giving it them.
    mine = '[groups.outer]\nuser = "root"\n[groups.inner]\nhosts = "x"\n'
    with pytest.raises(InventoryError, match=r"'x', which is not imported, .* another user"):
        into(found, mine)


def test_without_pyyaml_yaml_is_told_how_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match="f: PyYAML is needed") as caught:
        read("ansible", "all:\n  hosts:\n", "f")
    assert caught.value.remedy == "pip install 'psops[yaml]'"
    assert list(read("ansible", ANSIBLE, "f").hosts)  # INI needs none


def test_an_import_can_be_repeated() -> None:
    found = read("ansible", ANSIBLE, "hosts.ini")
    once = into(found)
    assert into(found, once) == once


def test_groups_get_a_prefix_and_hosts_a_group_of_their_own() -> None:
    found = read("ansible", ANSIBLE, "hosts.ini")
    regroup(found, group="imported", prefix="an-")
    assert groups_of(found)["an-prod"] == "@an-web @an-db"
    assert len(found.groups["imported"].hosts) == 8
    assert set(parse(into(found), PATH).groups["an-prod"]) <= set(found.hosts)
    with pytest.raises(UsageError, match="letters, digits"):
        regroup(found, group="a b", prefix="")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(
    st.from_regex(r"\A[a-c][0-9]{1,2}(\.x)?\Z"),
    st.fixed_dictionaries({}, optional={
        "user": st.sampled_from(["a", "b"]), "port": st.sampled_from([1, 2]),
        "address": st.sampled_from(["x", "y"]), "sudo": st.booleans(),
        "labels": st.dictionaries(st.sampled_from(["k", "l m"]), st.text(max_size=2)),
        "bundles": st.lists(st.sampled_from(["p", "q"]), unique=True),
    }),
    max_size=8,
), st.dictionaries(st.sampled_from(["g", "h", "i"]), st.lists(st.integers(0, 7))))  # fmt: skip
def test_hosts_have_what_was_imported_whatever_the_tables(
    hosts: dict[str, dict[str, Any]], members: dict[str, list[int]]
) -> None:
    names = list(hosts)
    groups = {group: {"hosts": [names[place] for place in places if place < len(names)],
                      "groups": [inner for inner in ("i",) if inner in members and group == "g"]}
              for group, places in members.items()}  # fmt: skip
    found = read("json", json.dumps({"hosts": hosts, "groups": groups}), "f")
    mine = '[groups.h]\nhosts = "c1"\nuser = "b"\n[hosts.a1]\nport = 1\n'
    for before in ("", mine):
        edit = bring_in(before, PATH, found, replace=True)
        after = {host.name: host for host in parse(edit.after, PATH).hosts}
        for name, wanted in found.hosts.items():
            for key, value in wanted.items():
                have = getattr(after[name], key)
                if key == "labels":
                    assert dict(have).items() >= value.items()
                elif key == "bundles":
                    assert set(have) >= set(value)
                elif value or before:
                    assert have == value or (key == "sudo" and not value)
        for group, one in found.groups.items():
            assert set(parse(edit.after, PATH).groups[group]) >= set(one.hosts)
