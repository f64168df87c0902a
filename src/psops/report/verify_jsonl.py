"""One JSON object a line and host, which can be written as soon as a host is done."""

from psops.fanout import Outcome
from psops.report import Look
from psops.report.json import dump
from psops.report.verify_json import host_object
from psops.verdict import HostVerdict, VerifyReport


def render(report: VerifyReport, look: Look) -> str:
    """Return a line for every host, in the order of the report."""
    return "".join(map(render_host_line, report.outcomes))


def render_host_line(outcome: Outcome[HostVerdict]) -> str:
    """Return the line of one host, ending with a newline."""
    return dump(host_object(outcome))
