"""Pieces in several processes: the same rows and weights as in one, and none is left when it is over."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

