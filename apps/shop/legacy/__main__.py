"""`python -m legacy`: says its port, and serves until its standard input ends: its owner is gone.

The first line of its input is the key that signs sessions; the database is a file that ends with it.
"""

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from legacy.books import opened
from legacy.ledger import Ledger
from legacy.server import Server
from legacy.site import Site


def main() -> None:
    options = argparse.ArgumentParser(prog="legacy")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--ledger", action="store_true", help="tell at /__ledger what was seen")
    signal.signal(signal.SIGTERM, _end)
    chosen, key = options.parse_args(), sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder) / "site.sqlite")) as database:
        ledger = Ledger() if chosen.ledger else None
        with Server(Site(database, key), ledger, chosen.port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(server.server_port, flush=True)
            if sys.stdin.read():  # a word, before the end: stay, whatever becomes of the owner
                threading.Event().wait()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends already, and nothing is to be left behind


def _end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()  # not at once: the database would be left behind


if __name__ == "__main__":
    main()
