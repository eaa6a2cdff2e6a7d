"""The API of the administrators' console (docs/console.md)."""
