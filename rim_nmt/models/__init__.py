"""The fairseq models: encoder, decoder, architectures and what fairseq needs around them."""
