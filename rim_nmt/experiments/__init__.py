"""The paper's experiments, each one a command of scripts/experiment.py."""
