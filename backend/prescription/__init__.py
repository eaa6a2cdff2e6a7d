"""Electronic prescriptions: written, checked, signed, reviewed, verified (docs/prescription.md)."""
