#!/usr/bin/env python3
"""`rim-nmt pack` in a clone."""

from checkout import run

run("pack")
