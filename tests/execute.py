"""A program that runs the code that it is given."""

import sys

exec(sys.argv[1])
