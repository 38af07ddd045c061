"""RIM-NMT: translation with Recurrent Independent Mechanisms."""

__version__ = "0.1.0"
