"""The program: run a verb, print what it gave, exit. Nothing else prints or exits."""

import atexit
import contextlib
import gc
import itertools
import os
import signal
import sys
from typing import Any, NoReturn

from psops import streams
from psops.errors import MissingLibrary, OutputError, PsopsError, Terminated, UsageError
from psops.exits import Exit
from psops.glyphs import limit


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    streams.prepare()
    limit()
    gc.disable()  # a run is over before garbage in cycles could matter
    code = _offer() if "_PSOPS_OFFER" in os.environ else run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OutputError, streams.ReaderGone):
            stream.flush()
    atexit._run_exitfuncs()
    # Not sys.exit: taking modules and the threads of a fleet apart takes a twentieth of a run.
    os._exit(code)


def run(argv: list[str]) -> int:
    """Run a command line, print its report or error, and return the exit code."""
    import typer

    from psops.cli.verbs import app

    debug = "--debug" in argv
    try:
        signal.signal(signal.SIGTERM, _terminate)
        answer: Any = typer.main.get_command(app).main(
            argv, prog_name="psops", standalone_mode=False
        )
        if answer is None or isinstance(answer, int):  # help or version
            return answer or int(Exit.OK)
        code = answer.exit if answer.stream is None else answer.stream(_show)
        _save_memory()
        _show(answer.text)
        return int(code)
    except PsopsError as exc:
        if debug:
            _show_trace()
        return _fail(exc, argv)
    except typer.TyperException as exc:
        _show_error(UsageError(exc.format_message()), argv)
        exc.show()  # type: ignore[attr-defined]
        return _usage_code(argv)
    except (KeyboardInterrupt, typer.Abort):
        return int(Exit.INTERRUPTED)
    except Terminated:
        return int(Exit.TERMINATED)
    except streams.ReaderGone:  # of help or version, which Typer prints
        return int(Exit.OK)
    except Exception as exc:
        if debug:
            _show_trace()
        if isinstance(exc, ModuleNotFoundError) and not (exc.name or "psops").startswith("psops"):
            what = f"this needs {exc.name}, which is not installed"
            return _fail(MissingLibrary(what), argv)
        print(f"psops: bug: {exc!r}; run again with --debug and report it", file=sys.stderr)
        return int(Exit.SOFTWARE)


def _offer() -> int:
    """Print what a completion script asks for, a line each; what is wrong is not told."""
    from psops.cli import complete

    with contextlib.suppress(Exception):
        words = complete.offer(os.environ[complete.OFFER], sys.argv)
        _show("".join(f"{word}\n" for word in words))
    return int(Exit.OK)


def _fail(error: PsopsError, argv: list[str]) -> int:
    from psops.report.text import clean

    _show_error(error, argv)
    # The words of hosts and files are in it as well, and not all of them were made harmless.
    print(f"psops: {clean(str(error))}", file=sys.stderr)
    if error.remedy:
        print(f"       {clean(error.remedy)}", file=sys.stderr)
    return _usage_code(argv, error.exit)


def _usage_code(argv: list[str], code: Exit = Exit.USAGE) -> int:
    """Return the code for a run without a report: for Nagios it is UNKNOWN, as its guidelines
    want it, where 2 would be CRITICAL and others mean nothing."""
    return 3 if _wants(argv, "nagios") else int(code)


def _wants(argv: list[str], form: str) -> bool:
    return f"--format={form}" in argv or ("--format", form) in itertools.pairwise(argv)


def _show_error(error: PsopsError, argv: list[str]) -> None:
    """Print the error for the machine that was to read the report, if one was."""
    lines, text = _wants(argv, "jsonl"), ""
    if _wants(argv, "nagios"):
        from psops.report.text import squeeze

        said = squeeze(str(error)).replace("|", "/")  # which begins the figures
        text = f"PSOPS UNKNOWN - {said}\n"
    elif lines or "--json" in argv or _wants(argv, "json"):
        from psops.report.json import render_error

        text = render_error(error, indent=None if lines else 2)
    with contextlib.suppress(OutputError):  # the error itself is still to be told
        _show(text)


def _show(text: str) -> bool:
    """Print to stdout; return whether the reader wants more."""
    try:
        print(text, end="", flush=True)
    except streams.ReaderGone:
        return False
    return True


def _show_trace() -> None:
    import traceback

    traceback.print_exc()


def _save_memory() -> None:
    memory = sys.modules.get("psops.memory")
    if memory is not None:
        memory.save()


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    main()
