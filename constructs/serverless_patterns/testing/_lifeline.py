"""Runs a Python file, and ends it and all that it started when the process that wanted it is gone, however it went.

`python -I _lifeline.py SCRATCH FILE [ARGUMENT ...]`, leading a process group, with a pipe as standard input. While the
other end is open all is well; one byte means "stay, whatever becomes of me"; end of file means that the owner died.
Standard library only: it also runs in the emulator's environment.
"""

import os
import runpy
import shutil
import signal
import sys
import threading


def _outlive_nobody(lifeline: int, scratch: str) -> None:
    if os.read(lifeline, 1):
        return
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Watch the lifeline and run the file as `__main__`."""
    scratch, file, *arguments = sys.argv[1:]
    assert os.getpgrp() == os.getpid(), "killing the group must kill nobody else"
    lifeline = os.dup(0)  # not inherited by what the file starts
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_outlive_nobody, args=(lifeline, scratch), daemon=True).start()
    sys.argv = [file, *arguments]
    runpy.run_path(file, run_name="__main__")


if __name__ == "__main__":
    main()
