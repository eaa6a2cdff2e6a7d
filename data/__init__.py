"""Reference data as files, and the loaders that validate them."""
