"""Disease surveillance: syndromes counted by area and day, and alarms where there are more than usual.

Nothing is imported here: the process that computes (`engine`) shall not load the house with it.
"""
