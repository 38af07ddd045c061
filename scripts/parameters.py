#!/usr/bin/env python3
"""`rim-nmt parameters` in a clone."""

from checkout import run

run("parameters")
