"""What the pinned emulator lacks and our promises need. Runs in the emulator's environment, except in unit tests."""
