"""The made-up corpus: a grammar of English and German sentences, and samples of it."""
