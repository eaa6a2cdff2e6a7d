"""Devices at home: what they send, when somebody has to look at it, and who is told until somebody does.

Its tables lie beside this folder (`backend/records/monitoring_tables.py`), where the metadata is gathered.
"""
