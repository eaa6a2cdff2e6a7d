"""Hospitals that speak FHIR R4: their registry, the client to them, and what their histories tell (docs/records.md)."""
