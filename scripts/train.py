#!/usr/bin/env python3
"""`rim-nmt train` in a clone."""

from checkout import run

run("train")
