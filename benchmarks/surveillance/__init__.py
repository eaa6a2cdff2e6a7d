"""Disease surveillance over a year of a county."""
