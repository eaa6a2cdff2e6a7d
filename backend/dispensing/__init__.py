"""What happens to a prescription once it is valid: reminders to take the medicines (docs/prescription.md)."""
