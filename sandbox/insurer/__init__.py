"""The insurer, played locally: the national platform's interface with its own rules and books."""
