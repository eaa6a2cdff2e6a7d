"""Patients, doctors, experts and institutions; who consented to what; who was invited."""
