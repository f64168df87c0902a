"""The options of the verbs that change units, beside those that all verbs share."""

from typing import Annotated

import typer

from psops.cli import options as opt

Now = Annotated[bool, typer.Option("--now", help="Start, restart or stop them, too.")]
Runtime = Annotated[bool, typer.Option("--runtime", help="Only until the next boot.")]
Signal = Annotated[str, typer.Option("-s", "--signal", metavar="SIGNAL", help="Name or number.")]
Whom = Annotated[str, typer.Option("--kill-whom", metavar="WHOM", help="all, main or control.")]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Show the calls, make none of them.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask, however many hosts.")]
Force = Annotated[
    list[str] | None,
    typer.Option("--force", metavar="NAME", help="Change it though it is protected."),
]
NoBlock = Annotated[bool, typer.Option("--no-block", help="Do not wait for the jobs.")]
JobMode = Annotated[str, typer.Option("--job-mode", metavar="MODE", help="As systemctl has it.")]
Only = Annotated[bool, typer.Option("--only", help="Not what goes along with these units.")]
Settle = Annotated[
    float,
    typer.Option(
        "--settle", metavar="SECONDS", callback=opt.between(0, 3600), help="Watch what was started."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        callback=lambda value: value if value is None else opt.between(0.1, opt.DAYS)(value),
        help="Time for each job.",
    ),
]
Batch = Annotated[
    str | None, typer.Option("--batch", metavar="N|N%,...", help="Hosts at a time, as 1,5,25%.")
]
Canary = Annotated[
    int,
    typer.Option(
        "--canary",
        metavar="N",
        callback=opt.between(0, 10000),
        help="Try it on N hosts first.",
        show_default=False,
    ),
]
Pause = Annotated[str, typer.Option("--pause", metavar="SECONDS|ask", help="Between batches.")]
MaxFail = Annotated[
    str | None,
    typer.Option("--max-fail", metavar="N|N%", help="End at so many failed hosts."),
]
Order = Annotated[str, typer.Option("--order", metavar="ORDER", help="inventory or random.")]
Verify = Annotated[bool, typer.Option("--verify", help="Worse by bundle verify is failed.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Finish the last run of this verb.")
]
NoHistory = Annotated[bool, typer.Option("--no-history", help="Keep no record.")]
