"""What every subject needs that speaks FHIR R4: names of code systems, elements, and how its tables are searched.

A subject's own `fhir.py` turns its values into resources and is pure; its `resources.py` hands them out, as sources of
the façade (`backend/records/facade`) and of what is written back to hospitals (docs/fhir.md).
"""
