"""`python evaluate.py …` is `heldout evaluate …`."""

import sys

from heldout.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
