"""The use cases of the people, in one service: persons, consent, the directory and invitations, a file each."""

from backend.people.consents import Consents
from backend.people.invitations import Invitations
from backend.people.names import Names
from backend.people.persons import Persons


class PeopleService(Persons, Names, Consents, Invitations):
    """Who people are, what they consented to, where they practise, and how they join.

    `Invitations` builds on the directory and brings it along. The only code that changes the tables of the people.
    """
