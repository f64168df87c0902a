"""What it means when `systemd-stdio-bridge` ends instead of relaying a bus."""

from psops.errors import ChannelRefused, HostError, NoBus


def explain_bridge(status: int, text: str) -> HostError:
    """Return what it means that a stdio bridge ended with this status and standard error."""
    last = text.splitlines()[-1] if text else f"exit status {status}"
    lower = text.lower()
    if "password is required" in lower or "not allowed to execute" in lower or "sudo:" in lower:
        return ChannelRefused(
            f"sudo refuses: {last}",
            remedy="let the user run systemd-stdio-bridge with NOPASSWD in sudoers",
        )
    if status == 127 or "not found" in lower:
        return ChannelRefused(f"systemd-stdio-bridge is missing ({last})")
    if "failed to connect" in lower or "failed to create bus" in lower or "no such file" in lower:
        return NoBus(f"the bridge finds no bus ({last})")
    return ChannelRefused(f"systemd-stdio-bridge ended ({last})")
