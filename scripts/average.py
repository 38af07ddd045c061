#!/usr/bin/env python3
"""`rim-nmt average` in a clone."""

from checkout import run

run("average")
