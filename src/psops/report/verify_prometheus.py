"""The verdicts in the Prometheus text format, for node_exporter's textfile collector.

One series per finding and three per host. What a waiver hides has a metric of its own: a
label that comes and goes with the waiver would be another series each time.
"""

from collections.abc import Iterable

from psops.report import Look
from psops.report.text import clean
from psops.report.verify import NAGIOS_CODES
from psops.report.verify_parts import mark, read
from psops.verdict import Finding, Verdict, VerifyReport, worst

_NUMBERS = "0 ok, 1 warning, 2 critical, 3 unknown"
_Labels = tuple[tuple[str, str], ...]


def render(report: VerifyReport, look: Look) -> str:
    """Return all metrics with their help."""
    counted: dict[_Labels, list[Verdict]] = {}
    waived: dict[_Labels, list[Verdict]] = {}
    for host, value in read(report):
        for one in value.findings:
            labels = _labels(host, one)
            counted.setdefault(labels, []).append(one.counts)
            if mark(one) == "waived":
                waived.setdefault(labels, []).append(one.verdict)
    hosts = report.outcomes
    lines = [
        *_metric("psops_verify_verdict",
                 f"Verdict of a daemon or check as it counts: {_NUMBERS}; waived ones count as ok.",
                 ((labels, _worst(verdicts)) for labels, verdicts in counted.items())),
        *_metric("psops_verify_waived",
                 f"Verdict of a daemon or check that is waived: {_NUMBERS}.",
                 ((labels, _worst(verdicts)) for labels, verdicts in waived.items())),
        *_metric("psops_verify_host_verdict", f"Worst verdict of a host: {_NUMBERS}.",
                 ((_host(out.host.name), str(NAGIOS_CODES[report.verdict_of(out)]))
                  for out in hosts)),
        *_metric("psops_host_up", "Whether the host could be read.",
                 ((_host(out.host.name), str(int(out.value is not None))) for out in hosts)),
        *_metric("psops_host_elapsed_seconds", "Time that the host took.",
                 ((_host(out.host.name), f"{out.elapsed:.3f}") for out in hosts)),
        *_metric("psops_verify_timestamp_seconds", "When the verdicts were made.",
                 [((), f"{report.made_at:.3f}")]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _labels(host: str, one: Finding) -> _Labels:
    return (*_host(host), ("bundle", one.bundle), ("name", one.name))


def _host(name: str) -> _Labels:
    return (("host", name),)


def _worst(verdicts: list[Verdict]) -> str:
    return str(NAGIOS_CODES[worst(verdicts)])


def _metric(name: str, told: str, samples: Iterable[tuple[_Labels, str]]) -> list[str]:
    lines = [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
        lines.append(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")
    return lines


def _escape(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')
