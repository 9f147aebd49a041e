"""`python train.py …` is `heldout train …`."""

import sys

from heldout.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
