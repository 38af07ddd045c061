#!/usr/bin/env python3
"""`rim-nmt experiment` in a clone."""

from checkout import run

run("experiment")
