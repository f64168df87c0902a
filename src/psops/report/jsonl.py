"""One JSON object a line and host, for `jq` and log shippers."""

from psops.report import Look
from psops.report.json import dump, host_object
from psops.report.model import StatusReport


def render(report: StatusReport, look: Look) -> str:
    """Return a line for every host, in the order of the report."""
    return "".join(dump(host_object(outcome, report)) for outcome in report.outcomes)
