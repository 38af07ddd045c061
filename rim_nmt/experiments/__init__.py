"""The paper's experiments: translation out of domain (Table 8) and copying (Table 1)."""
