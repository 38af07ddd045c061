"""Translation out of the domain: the paper's Table 8."""
