#!/usr/bin/env python3
"""`rim-nmt prepare` in a clone."""

from checkout import run

run("prepare")
