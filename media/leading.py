"""Looking together: one person of a room leads, and the pages of the others follow what theirs shows.

What is looked at does not travel here. The room carries where the leader looks as a text that it never reads; each page
fetches what is to be seen by itself, under its own person's rights.
"""

from dataclasses import dataclass

LEASE = 6
"""So many observations (one a second) without a word of the leader's page end the lead: its line is lost."""


@dataclass(slots=True)
class Leading:
    """Who leads, and where they look at the moment; nobody and nothing where both are empty."""

    person: str = ""
    state: str = ""
    _silent: int = 0

    def take(self, person: str) -> bool:
        """Somebody leads from now on, whoever led before; ``False`` where they lead already."""
        if person == self.person:
            return False
        self.person, self.state, self._silent = person, "", 0
        return True

    def look(self, person: str, state: str) -> bool:
        """The leader looks somewhere, or still there; ``False`` where others need not hear of it: it is the same place,
        or this person does not lead."""
        if person != self.person:
            return False
        self._silent = 0
        changed = state != self.state
        self.state = state
        return changed

    def end(self, person: str) -> bool:
        """Somebody leads no longer; ``False`` where they did not."""
        if not self.person or person != self.person:
            return False
        self.person, self.state = "", ""
        return True

    def observe(self) -> bool:
        """A second has passed; whether the lead ended with it."""
        self._silent += 1
        return self._silent > LEASE and self.end(self.person)

    def shown(self) -> dict[str, str]:
        """The message that says all of it."""
        return {"kind": "look", "leader": self.person, "state": self.state}
