"""Encryption at rest, the policy of who may do what, and the audit log."""
