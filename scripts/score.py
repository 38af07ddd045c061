#!/usr/bin/env python3
"""`rim-nmt score` in a clone."""

from checkout import run

run("score")
