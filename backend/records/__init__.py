"""What is known of a patient: observations, allergies, medicines, conditions (docs/records.md)."""
