"""The processes in which the emulator runs functions."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["kill_workers"]

PROC = Path("/proc")


def kill_workers(home: Path, function_name: str) -> int:
    """Kill the function's processes, found by the folder under `home` that it is unpacked to; how many there were."""
    folder = f"{home}{os.sep}ministack-lambda-{function_name}-"
    # After the name come 8 random characters without a dash: `Shop` must not match `Shop-2`.
    pids = [
        pid
        for pid, command in _processes()
        if (unpacked := command.partition(folder)[2].partition(os.sep))[2].startswith("_worker.")
        and "-" not in unpacked[0]
    ]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def _processes() -> Iterator[tuple[int, str]]:
    """Id and command line of each process; without `ps` where the kernel tells, slim images have none."""
    if not PROC.is_dir():
        listing = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            pid, _, command = line.strip().partition(" ")
            yield int(pid), command
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it ended while we looked
                continue
