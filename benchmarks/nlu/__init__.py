"""How well and how fast the language understanding works, measured on public consultations."""
