"""`python -m heldout` is `heldout`: quick to load, so that Ctrl-C is one line from the first moment."""

import sys
from importlib import import_module


def main() -> int:
    """Runs the command line of this process and returns its exit status."""
    if sys.platform == "win32":
        print("heldout: heldout runs on Linux and macOS; on Windows run it in WSL", file=sys.stderr)
        return 1
    try:
        command_line = import_module("heldout.cli")
    except KeyboardInterrupt:
        print("heldout: interrupted", file=sys.stderr)
        return 130
    return int(command_line.main())


if __name__ == "__main__":
    sys.exit(main())
