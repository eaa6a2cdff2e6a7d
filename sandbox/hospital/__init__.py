"""A hospital's information system with a FHIR R4 server, played locally, with its patients and its bad days."""
