"""桥医's front door: command line, settings, and the wiring of one process out of the rooms."""
