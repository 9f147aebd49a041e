"""Runs command lines in copies of a process that has loaded everything: `python warm.py`, then one call a line.

A call is JSON: the words of the command line, and the folder to be in. The copy leads a group of processes of its
own. One line is answered when it begins, its number, and one when it has ended, its status.
"""

import json
import os
import sys
from pathlib import Path

import torch
import transformers

import heldout.verbs.evaluate
import heldout.verbs.study_run
import heldout.verbs.train
from heldout.cli import main

LOADED = (torch, transformers, heldout.verbs.evaluate, heldout.verbs.study_run, heldout.verbs.train)


def begin(words: list[str], folder: Path) -> int:
    """The copy's number; in the copy itself this never returns."""
    if child := os.fork():
        return child
    os.setsid()
    os.chdir(folder)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    status = main(words)
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    for call in sys.stdin:
        given = json.loads(call)
        process = begin(given["words"], Path(given["folder"]))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
