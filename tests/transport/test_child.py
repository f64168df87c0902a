"""A channel to a child process."""

import os

import pytest

from psops.deadline import Deadline
from psops.errors import NoBus
from psops.transport import MOST_WORDS
from psops.transport.child import bridge
from psops.transport.program import Program

#: Complains of much, and then of what matters.
_LOUD = "head -c 10000000 /dev/zero >&2; echo; echo 'no such file' >&2; exit 1"


def test_ctrl_c_at_the_terminal_is_not_for_the_child() -> None:
    channel = bridge(("sh", "-c", "echo $$; cat"))
    try:
        child = int(channel.receive(Deadline(60)))
        assert os.getsid(child) == child != os.getsid(0)
    finally:
        channel.close()


def test_last_words_of_a_bridge_say_why_it_ended_however_much_it_said() -> None:
    channel = bridge(("sh", "-c", _LOUD))
    assert channel.receive(Deadline(60)) == b"\n"
    with pytest.raises(NoBus, match="no such file"):
        channel.receive(Deadline(60))
    channel.close()


def test_of_a_program_s_complaints_the_end_is_kept() -> None:
    program = Program(("sh", "-c", _LOUD))
    assert program.receive(Deadline(60)) == b"\n"
    assert program.receive(Deadline(60)) == b""
    done = program.finish(Deadline(60))
    program.close()
    assert done.status == 1
    assert done.stderr.endswith(b"no such file\n")
    assert len(done.stderr) == MOST_WORDS


def test_what_a_program_leaves_behind_does_not_hold_up_its_end() -> None:
    program = Program(("sh", "-c", "echo last >&2; sleep 60 >/dev/null & exit 3"))
    assert program.receive(Deadline(60)) == b""
    done = program.finish(Deadline(60))
    program.close()
    assert done == (3, b"", b"last\n")
