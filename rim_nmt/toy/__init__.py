"""The made-up corpus: English sentences with German translations, drawn from a grammar.

``tables/`` holds the words, and ``table`` reads them; ``english`` and ``german`` inflect them,
``lexicon`` pairs them. ``grammar`` says one tree in both languages, ``sampling`` draws trees, and
``corpus`` makes splits of them and writes these to files.
"""
