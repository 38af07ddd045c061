"""Translating with a trained model, scoring it, averaging checkpoints."""
