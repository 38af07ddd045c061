"""The paper's experiments, translation out of domain (Table 8) and copying (Table 1), and what
models keep out of their domain in other ways."""
