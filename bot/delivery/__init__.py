"""How what is said arrives: by which kind of message, in which order, and what happens when it does not."""
