"""Verdicts made by hand, for golden files: one of each kind that `bundle verify` can give."""

from dataclasses import replace
from datetime import date
from typing import Any

from psops.errors import AuthenticationRefused, ConnectTimedOut, Interrupted, PsopsError
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host, Waiver
from psops.report import Look
from psops.report.model import LogLine, UnitStatus
from psops.verdict import Advice, Finding, HostVerdict, Verdict, VerifyReport
from tests.report.cases import EVIL, NOW, before, unit

OK, WARNING, CRITICAL, UNKNOWN = Verdict.OK, Verdict.WARNING, Verdict.CRITICAL, Verdict.UNKNOWN

TESTPOINT = {
    "postgresql": "keeps what is scheduled and measured",
    "apache2": "answers the API",
    "pscheduler-scheduler": "finds a time for each test",
    "pscheduler-runner": "runs tests that are due",
    "pscheduler-archiver": "sends results to archives",
    "pscheduler-ticker": "keeps the database tidy",
    "psconfig-pscheduler-agent": "makes tests of templates",
    "owamp-server": "answers one-way latency tests",
    "twamp-server": "answers two-way latency tests",
    "perfsonar-lsregistrationdaemon": "tells the lookup service of this host",
    "ntp": "keeps the clock right",
}
TOOLKIT = (
    "opensearch logstash grafana-server fail2ban firewalld httpd-web toolkit-config-daemon "
    "node-exporter perfsonar-host-exporter psconfig-hostmetrics psconfig-grafana-agent"
).split()


def running(name: str, bundle: str = "testpoint", **more: Any) -> Finding:
    """Return a daemon that is as it should be."""
    service = unit(f"{name}.service", UnitFileState="enabled",
                   StateChangeTimestamp=before(days=3, hours=2))  # fmt: skip
    fields: dict[str, Any] = {
        "name": name, "verdict": OK, "code": "running", "bundle": bundle, "unit": service,
        "text": f"{name}.service is active (running)", "purpose": TESTPOINT.get(name, ""),
    }  # fmt: skip
    return Finding(**(fields | more))


def bad(name: str, verdict: Verdict, code: str, text: str, **more: Any) -> Finding:
    """Return a daemon that is not as it should be."""
    return running(name, verdict=verdict, code=code, text=text, **more)


FAILED = bad(
    "pscheduler-runner", CRITICAL, "failed", "pscheduler-runner.service has failed (exit-code 3)",
    unit=unit(
        "pscheduler-runner.service", "failed/failed", UnitFileState="enabled", Result="exit-code",
        StateChangeTimestamp=before(minutes=7), ExecMainCode=1, ExecMainStatus=3,
        log=(
            LogLine(before(minutes=7, seconds=1), "pscheduler", "could not connect to server"),
            LogLine(before(minutes=7), "systemd", "Main process exited, code=exited, status=3"),
        ),
    ),
    advice=(Advice("read why", "journalctl -u pscheduler-runner.service -n 50"),
            Advice("mend the cause, then", "systemctl reset-failed pscheduler-runner.service")),
)  # fmt: skip
STOPPED = bad(
    "postgresql", CRITICAL, "stopped", "postgresql@15-main.service is not running",
    unit=unit("postgresql@15-main.service", "inactive/dead", UnitFileState="enabled-runtime"),
    advice=(Advice("start it", "systemctl start postgresql@15-main.service"),),
)  # fmt: skip
TAKEN_DOWN = bad(
    "pscheduler-scheduler", CRITICAL, "stopped",
    "pscheduler-scheduler.service is not running: it went down with postgresql",
    because="postgresql",
    unit=unit("pscheduler-scheduler.service", "inactive/dead", UnitFileState="enabled"),
)  # fmt: skip
DISABLED = bad(
    "ntp", WARNING, "disabled",
    "ntp.service runs, but will not come up at the next boot (disabled)",
    severity="recommended", unit=unit("ntp.service", UnitFileState="disabled"),
    advice=(Advice("let it come up at boot", "systemctl enable ntp.service"),),
)  # fmt: skip
ABSENT = bad(
    "owamp-server", CRITICAL, "not-installed", "owamp-server.service does not exist on this host",
    unit=None, advice=(Advice("it comes with the package owamp-server"),),
)  # fmt: skip
UNREADABLE = bad(
    "apache2", UNKNOWN, "not-allowed", "the state of apache2.service may not be read", unit=None,
)  # fmt: skip
API = running(
    "pscheduler-api", kind="check", code="http-200", text="https://localhost/pscheduler: 200",
    unit=None, elapsed=0.083, purpose="answers over HTTPS",
)  # fmt: skip
API_DOWN = replace(
    API, verdict=CRITICAL, code="http-502", elapsed=0.012,
    text="https://localhost/pscheduler: 502 Bad Gateway instead of 200", because="postgresql",
    advice=(Advice("see what the server says", "tail /var/log/apache2/error.log"),),
)  # fmt: skip
CERTIFICATE = running(
    "tls-certificate", kind="check", verdict=WARNING, code="expires-soon", unit=None,
    text="the certificate of localhost:443 ends in 9 days", elapsed=0.021,
)  # fmt: skip


def host(*findings: Finding, **more: Any) -> HostVerdict:
    """Return a host with all daemons of a testpoint; findings replace those of their name."""
    given = {one.name: one for one in findings}
    usual = [given.pop(name) if name in given else running(name) for name in TESTPOINT]
    fields: dict[str, Any] = {
        "bundles": ("testpoint",), "chosen_by": "perfsonar-testpoint is installed",
        "os_family": "debian", "os_name": "Debian 12", "version": "5.2.1",
        "findings": (*usual, *given.values()),
    }  # fmt: skip
    return HostVerdict(**(fields | more))


def toolkit(*findings: Finding, **more: Any) -> HostVerdict:
    """Return a host of 22 daemons."""
    others = tuple(running(name, "toolkit") for name in TOOLKIT)
    return host(*findings, *others, bundles=("toolkit",), chosen_by="named", **more)


def outcome(
    name: str, value: HostVerdict | None = None, error: PsopsError | None = None, **more: Any
) -> Outcome[HostVerdict]:
    """Return what a host gave, in a time that depends on its name only."""
    return Outcome(Host(name=name, **more), 0.1 + len(name) / 100, value, error)


def report(*outcomes: Outcome[HostVerdict], **more: Any) -> VerifyReport:
    return VerifyReport(outcomes=outcomes, made_at=NOW, **more)


NO_BUNDLE = HostVerdict(
    bundles=(), chosen_by="no unit or package of a known bundle", os_name="Debian 12"
)
_DOWN = ConnectTimedOut("192.0.2.3 port 22: no answer within 10 s")
_WAIVED = replace(
    FAILED, waiver=Waiver("pscheduler-runner", "moves to new hardware", date(2026, 12, 31))
)
_HOSTILE = UnitStatus(
    name=EVIL, id=EVIL, description=EVIL, load="loaded", active="failed", sub=EVIL,
    properties={"Result": EVIL, "UnitFileState": EVIL}, log=(LogLine(1, EVIL, EVIL),),
)  # fmt: skip
#: Text that means something to one of the formats.
TRICKY = "</script><b onclick=x>|`*]]>&amp; # SKIP \\ \"q\" 'a' {{data}} ${x} %s | a=1;; \\n"


def hostile(text: str) -> VerifyReport:
    """Return a report in which every text that a host can send is this one."""
    told: dict[str, Any] = {
        "name": "a", "code": "failed", "text": text, "purpose": text, "because": text,
        "unit": replace(_HOSTILE, id=text, description=text, sub=text,
                        properties={"Result": text, "UnitFileState": text},
                        log=(LogLine(1, text, text),)),
        "advice": (Advice(text, text),),
    }  # fmt: skip
    findings = [Finding(**(told | {"name": f"a-{verdict}", "verdict": verdict}))
                for verdict in Verdict]  # fmt: skip
    waived = Finding(**told, verdict=CRITICAL, waiver=Waiver("a", text))
    value = HostVerdict(
        bundles=("testpoint",), chosen_by=text, os_name=text, os_family=text, version=text,
        findings=(*findings, waived), notes=(text,),
    )  # fmt: skip
    return report(
        outcome("ps01", value),
        outcome("ps02", replace(value, findings=(), bundles=())),
        outcome("ps03", error=ConnectTimedOut(text, remedy=text)),
    )


def fleet(number: int) -> VerifyReport:
    """Return toolkits of which every 18th or so has its own trouble, and some are not there."""
    wrong: dict[int, tuple[Finding, ...]] = {
        4: (FAILED,), 11: (FAILED,), 13: (STOPPED, TAKEN_DOWN, API_DOWN), 17: (DISABLED,),
        18: (_WAIVED,),
    }  # fmt: skip
    outcomes = []
    for at in range(1, number + 1):
        name = f"ps{at:02}" if number < 100 else f"ps{at:04}"
        place = at if at <= 20 else at % 97
        if place == 20:
            outcomes.append(outcome(name, error=_DOWN))
        else:
            outcomes.append(outcome(name, toolkit(*wrong.get(place, ()))))
    return report(*outcomes)


_THREE = report(
    outcome("ps01", host()),
    outcome("ps02", host(STOPPED, TAKEN_DOWN, FAILED, DISABLED)),
    outcome("archive.example.org", host(ABSENT, UNREADABLE)),
)
_UNREAD = report(
    outcome("ps01", host()),
    outcome("ps02", error=AuthenticationRefused("none of 2 keys was accepted for root")),
    outcome("ps03", error=_DOWN, bundles=("testpoint",)),
)

#: Case -> report and look.
VERIFY_CASES: dict[str, tuple[VerifyReport, Look]] = {
    "verify-ok": (report(outcome("ps01", host(chosen_by="inventory"))), Look()),
    "verify-one": (report(outcome("ps01", host(FAILED, DISABLED))), Look(width=100)),
    "verify-three": (_THREE, Look()),
    "verify-three-80": (_THREE, Look(width=80)),
    "verify-three-color": (_THREE, Look(color=True)),
    "verify-fleet-folded": (fleet(20), Look(fold=True)),
    "verify-fleet-80": (fleet(20), Look(fold=True, width=80)),
    "verify-fleet": (fleet(20), Look()),
    "verify-thousand": (fleet(1000), Look(fold=True, width=120)),
    "verify-unreachable": (_UNREAD, Look()),
    "verify-none-reachable": (report(outcome("ps03", error=_DOWN)), Look()),
    "verify-warning": (
        report(outcome("ps01", host(DISABLED)), outcome("ps02", host())), Look()
    ),
    "verify-warning-fails": (report(outcome("ps01", host(DISABLED)), fail_on="warning"), Look()),
    "verify-waived": (
        report(
            outcome("ps01", host(_WAIVED)),
            outcome("ps02", host(notes=("the waiver of 'ntp' ended on 2026-11-01: new clock",))),
        ),
        Look(),
    ),
    "verify-no-bundle": (report(outcome("ps01", NO_BUNDLE), outcome("ps02", host())), Look()),
    "verify-checks": (
        report(outcome("ps01", host(STOPPED, TAKEN_DOWN, API_DOWN, CERTIFICATE)),
               outcome("ps02", host(API))),
        Look(),
    ),
    "verify-small": (  # few daemons, so that hosts are rows
        report(*(
            outcome(f"hub{at}", host(bundles=("hub",), chosen_by="named", findings=tuple(
                bad(name, WARNING, "disabled", "…") if (name, at) == ("ntp", 3) else running(name)
                for name in ("postgresql", "apache2", "ntp")[: 2 + at % 2]
            )))
            for at in range(1, 5)
        )),
        Look(),
    ),
    "verify-interrupted": (
        report(outcome("ps01", host()), outcome("ps02", error=Interrupted("interrupted")),
               ended=Exit.INTERRUPTED),
        Look(),
    ),
    "verify-hostile": (hostile(EVIL), Look()),
    "verify-tricky": (hostile(TRICKY), Look()),
}  # fmt: skip
#: Those that are recorded in every format; the others differ in the table only.
RECORDED = (
    "verify-ok verify-three verify-fleet-folded verify-unreachable verify-waived "
    "verify-no-bundle verify-checks verify-hostile verify-tricky"
).split()
