"""The use cases of the people, a file each: persons, relatives, consent, the directory, invitations."""

from backend.people.areas import Areas
from backend.people.consents import Consents
from backend.people.emergency import Emergencies
from backend.people.importing import Importing
from backend.people.importing_institutions import ImportingInstitutions
from backend.people.names import Names
from backend.people.relatives import Relatives


class PeopleService(Relatives, Emergencies, Names, Areas, Consents, Importing, ImportingInstitutions):
    """Who people are, for whom they speak, what they consented to, where they practise, and how they join.

    `Relatives` builds on the persons and `Importing` on the roster, invitations and directory: they bring them along.
    The only code that changes the tables of the people.
    """
