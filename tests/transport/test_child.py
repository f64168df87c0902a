"""A channel to a child process."""

import os

from psops.deadline import Deadline
from psops.transport.child import bridge


def test_ctrl_c_at_the_terminal_is_not_for_the_child() -> None:
    channel = bridge(("sh", "-c", "echo $$; cat"))
    try:
        child = int(channel.receive(Deadline(60)))
        assert os.getsid(child) == child != os.getsid(0)
    finally:
        channel.close()
