"""Importing this imports fairseq, without what it never calls here (see rim_nmt.plugin.startup)."""

from rim_nmt.plugin.startup import deferring

with deferring():
    import fairseq  # noqa: F401
