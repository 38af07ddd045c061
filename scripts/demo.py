#!/usr/bin/env python3
"""`rim-nmt demo` in a clone."""

from checkout import run

run("demo")
