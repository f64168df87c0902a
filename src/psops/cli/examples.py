"""Command lines for help texts and man pages, run by tests as they stand."""

from collections.abc import Iterable
from typing import Any

#: (what it is for, command line), in the order of the pages; a line has at most 72 columns.
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("The state of this machine, and the units that are not right:", "psops status"),
    ("One unit in full, with its processes and last log lines:", "psops status sshd"),
    (
        "Two units on all hosts of a group but one:",
        "psops status -g testpoint -x ps04.demo pscheduler-runner owamp-server",
    ),
    ("All failed units of the fleet, with five log lines each:", "psops status -a --failed -n 5"),
    ("Hosts that no inventory names:", "psops status -H root@ps[01-20].example.org sshd"),
    ("The timers of a container:", "psops status --machine web --type timer"),
    (
        "For a program: a line of JSON for each host, of units that are not active:",
        "psops status -a --state inactive,failed --format jsonl 'panda_*'",
    ),
    ("A made-up fleet of 100 hosts, to try things:", "psops status --inventory demo:100"),
    ("What a daemon of a group writes, as it comes:",
     "psops logs pscheduler-runner -g testpoint -f"),
    ("Warnings of a role's daemons within the last hour:",
     "psops logs --bundle panda-server -H panda01.demo --since 1h -p warning"),
    ("Who has no space left today?", "psops logs -a --since today --grep 'No space left'"),
    ("A role's daemons on a group, live on the screen:",
     "psops watch -g testpoint --bundle testpoint"),
    ("Every change of a unit, for a program:", "psops watch -a httpd --format jsonl"),
    ("Start what a role must run, in its order:", "psops start -g testpoint --bundle testpoint"),
    ("What would be done:", "psops stop --all --dry-run owamp-server"),
    ("Restart a unit here, and see why if it does not come up:", "psops restart httpd"),
    (
        "A role's daemons on a group: one host first, then a quarter at a time:",
        "psops restart -g testpoint --bundle testpoint --canary 1 --batch 25%",
    ),
    ("Finish the last restart:", "psops restart --retry-failed"),
    ("Restart what runs, and leave alone what is down:", "psops try-restart -a 'pscheduler-*'"),
    ("Let a daemon read its configuration again:", "psops reload -a httpd"),
    ("Reload where that can be, restart elsewhere:", "psops reload-or-restart -a rsyslog"),
    ("Have a unit come up at boot, and start it now:", "psops enable --now owamp-server"),
    ("No longer at boot, and stop it now:", "psops disable --now owamp-server"),
    ("Make the links again after a change of [Install]:", "psops reenable owamp-server"),
    ("Nothing shall start it until the next boot:", "psops mask --runtime twamp-server"),
    ("Take that back:", "psops unmask --runtime twamp-server"),
    ("Forget the failures, so that restarts are counted anew:", "psops reset-failed -a '*'"),
    ("Let a daemon open its log anew:", "psops kill -s USR1 httpd"),
    ("After unit files were changed on a group:", "psops daemon-reload -g testpoint"),
    (
        "PanDA's crontab as the configuration of its daemons, for nine servers:",
        "psops cron2daemon --servers 9 --sync copyArchive panda.cron",
    ),
    ("The daemons that a master has:", "psops panda show panda_server.cfg"),
    ("Every known trap in two configurations:", "psops panda check panda_server.cfg new.cfg"),
    ("Put the daemons of a crontab into a configuration:",
     "psops panda merge new.cfg daemons.json"),
    ("What a change does to the daemons:", "psops panda diff panda_server.cfg new.cfg"),
    ("A day of four servers:", "psops panda simulate --servers 4 new.cfg"),
    (
        "All daemons, with the heartbeats that Rucio's server tells:",
        "psops rucio verify -a --rest https://rucio.test --token env:TOKEN",
    ),
    ("Without heartbeats, by the processes alone:", "psops rucio verify -g rucio --units-only"),
    (
        "The heartbeats, from the database whose URL is in a variable:",
        "psops rucio heartbeats -g rucio --db-url env:RUCIO_DB",
    ),
    (
        "Units for two daemons below a build's root:",
        "psops unit write rucio reaper=3 hermes -o root",
    ),
    ("What is wrong with them:", "psops unit lint root/etc/systemd/system/rucio-daemon@.service"),
    ("The nodes of a cluster, each with its own view:", "psops psid verify -g parastation"),
    ("An inventory from a parastation.conf:", "psops psid nodes parastation.conf"),
    ("The runs of the last week that failed in part:", "psops history --failed --since 1w"),
    ("What was done, and where it did not work:", "psops history show last"),
    ("The roles that psops knows of perfSONAR:", "psops bundle list --system perfsonar"),
    ("What a testpoint runs on Debian:", "psops bundle show testpoint --os deb"),
    ("All there is about a daemon:", "psops bundle show --daemon pscheduler-runner"),
    ("Which files say so:", "psops bundle path"),
    ("Every mistake in a file of one's own:", "psops bundle lint weather.toml"),
    ("Do the hosts of a group run what they must?", "psops bundle verify -g testpoint"),
    (
        "The same for Nagios, one line for one host:",
        "psops bundle verify -H ps01.demo --format nagios",
    ),
    ("The components of a pipeline:", "psops pipeline list"),
    ("One of them, and who feeds it:", "psops pipeline show rabbitmq"),
    ("The whole as a picture:", "psops pipeline graph --as svg --output pipeline.svg"),
    ("Where it is broken, and whom to call:", "psops pipeline verify --file sites.toml"),
    ("Gaps in what is declared:", "psops pipeline lint --file sites.toml"),
    ("Hosts and groups:", "psops inventory list"),
    ("What the inventory says of a host:", "psops inventory show ps01.demo"),
    ("Which hosts can be reached, and what is in the way:", "psops inventory check -a"),
    ("The groups as a picture for Graphviz:", "psops inventory graph --as dot -o groups.dot"),
    ("All hosts for Ansible:", "psops inventory export ansible -o hosts.yml"),
    ("New hosts in a group:", "psops inventory add ps[05-06].example.org -g testpoint"),
    ("Hosts that are gone:", "psops inventory remove ps05.example.org"),
    ("Hosts that ssh knows:", "psops inventory import ssh-config config -g all-sites"),
    ("What is set, and by what:", "psops config show"),
    ("Can psops work on this machine?", "psops doctor"),
    ("After uv tool install, which places programs only:", "psops shell install"),
    ("Take that back:", "psops shell uninstall"),
    ("For a shell that loads no completions by itself:", "psops shell show bash"),
)  # fmt: skip


def examples(path: str) -> list[tuple[str, str]]:
    """Return the examples of a command, as `psops panda show`, or of its members."""
    return [(text, line) for text, line in EXAMPLES if f"{line} ".startswith(f"{path} ")]


def add_examples(command: Any, path: str) -> None:
    """Put the examples of a command, and of all members of a group, into their help."""
    for name, inner in getattr(command, "commands", {}).items():
        add_examples(inner, f"{path} {name}")
    lines = []
    for text, line in examples(path):
        if not any(f"{line} ".startswith(f"{path} {name} ") for name in _members(command)):
            lines += [f"  {text}", f"    {line}"]
    if lines:
        command.epilog = "\n".join(["\b", "EXAMPLES", *lines, "", command.epilog or ""])


def _members(command: Any) -> Iterable[str]:
    return getattr(command, "commands", ())
