"""Corpora: the embedded one, subwords, and preparation for fairseq."""
