"""What goes wrong with keys."""


class KeyRingError(Exception):
    """A key file that cannot be used, or a value that no key of the ring opens."""


class PersonKeyDestroyed(KeyRingError):
    """A value of somebody whose key was destroyed because they asked for it."""
