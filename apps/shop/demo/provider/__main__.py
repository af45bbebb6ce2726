"""`python -m demo.provider [SECONDS]`: says its port, and serves until its standard input ends: its owner is gone.

SECONDS is how long it remembers a key.
"""

import sys
import threading

from demo.provider.ledger import KEY_LIFETIME_SECONDS, Ledger
from demo.provider.server import Provider, Server


def main() -> None:
    lifetime = float(sys.argv[1]) if len(sys.argv) > 1 else KEY_LIFETIME_SECONDS
    with Server(Provider(Ledger(lifetime))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        if sys.stdin.read():  # a word, before the end: stay, whatever becomes of the owner
            threading.Event().wait()


if __name__ == "__main__":
    main()
