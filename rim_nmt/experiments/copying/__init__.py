"""Copying after a dormant span: the paper's Table 1."""
