"""Photographed laboratory slips: read in a process of their own, shown to the person, kept once they have said yes."""
