"""A server in a process of its own, which ends with the process that started it."""

import subprocess
import sys
from pathlib import Path
from typing import Self

_SHOP = Path(__file__).parent
STOP_SECONDS = 10


class ChildProcess:
    """Runs until the end of the block, or of this process. The first line that it prints is its port."""

    url: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """It ends in the midst of what it does. One that was detached stays."""
        assert self._process.stdin
        assert self._process.stdout
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    def detach(self) -> int:
        """Leave it running when this process ends; its process id."""
        assert self._process.stdin
        self._process.stdin.write("stay")
        self._process.stdin.close()
        return self._process.pid

    def _start(self, module: str, *arguments: str, told: str = "") -> None:
        """`told`: on its standard input, which stays open."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=_SHOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(told)
        self._process.stdin.flush()
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
