#!/usr/bin/env python3
"""`rim-nmt translate` in a clone."""

from checkout import run

run("translate")
