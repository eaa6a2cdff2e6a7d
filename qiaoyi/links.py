"""Addresses that cards open. A token in the address is the right to see what it shows, and nothing else."""

from datetime import timedelta

from backend.clock import Clock
from backend.scheduling import BookingView
from backend.security.keyring import KeyRing
from miniprogram_api.copies import LINKED_COPY
from miniprogram_api.sessions import Sessions

_CALENDAR_VALID = timedelta(days=60)
_RECORDING_VALID = timedelta(minutes=30)
_COPY_VALID = timedelta(minutes=30)
_INVOICE_VALID = timedelta(days=30)
_REPORT_VALID = timedelta(minutes=30)


def calendar_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that open one consultation's calendar file, in every process the same."""
    return Sessions(ring.derive("calendar"), clock, purpose="calendar", valid_for=_CALENDAR_VALID)


def recording_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that open one track of a recording, in every process the same; the page fetches fresh ones."""
    return Sessions(ring.derive("recording"), clock, purpose="recording", valid_for=_RECORDING_VALID)


def report_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that open the PDF of one report, in every process the same; the page fetches fresh ones."""
    return Sessions(ring.derive("report"), clock, purpose="report", valid_for=_REPORT_VALID)


def prescription_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that open the PDF of one prescription, in every process the same; the page fetches fresh ones."""
    return Sessions(ring.derive("prescription"), clock, purpose="prescription", valid_for=_REPORT_VALID)


def copy_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that fetch the copy of one person's data, in every process the same."""
    return Sessions(ring.derive("copy"), clock, purpose="copy", valid_for=_COPY_VALID)


def invoice_tokens(ring: KeyRing, clock: Clock) -> Sessions:
    """Give the tokens that open one receipt, in every process the same; the chat makes a fresh one at each tap."""
    return Sessions(ring.derive("invoice"), clock, purpose="invoice", valid_for=_INVOICE_VALID)


class PublicLinks:
    """Makes addresses below the product's public one."""

    def __init__(self, public_url: str, calendar: Sessions, copies: Sessions, invoices: Sessions) -> None:
        self._public_url = public_url
        self._calendar = calendar
        self._copies = copies
        self._invoices = invoices

    def calendar(self, booking: BookingView) -> str:
        """Give the address of the booking's calendar file; it shows the booking as it is when it is opened."""
        token, _ = self._calendar.mint(booking.consultation_id)
        return f"{self._public_url}/h5/bookings/{token}.ics"

    def data_copy(self, person_id: str) -> str:
        """Give the address at which a person fetches the copy of their data, for half an hour."""
        return self._public_url + LINKED_COPY.format(token=self._copies.mint(person_id)[0])

    def room(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's video room: no secret, for the page asks who opens it."""
        return f"{self._public_url}/h5/rooms/{consultation_id}"

    def recordings(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's recordings: no secret either."""
        return f"{self._public_url}/h5/recordings/{consultation_id}"

    def viewer(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's images: no secret either."""
        return f"{self._public_url}/h5/viewer/{consultation_id}"

    def reports(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's reports: no secret either."""
        return f"{self._public_url}/h5/reports/{consultation_id}"

    def prescription(self, prescription_id: str) -> str:
        """Give the address of the page of a prescription: no secret either."""
        return f"{self._public_url}/h5/prescriptions/{prescription_id}"

    def verification(self, code: str) -> str:
        """Give the address of the public verification page of a paper; its code is the right to see it."""
        return f"{self._public_url}/verify/{code}"

    def pay(self, charge_id: str) -> str:
        """Give the address of the page on which a charge is paid: no secret either."""
        return f"{self._public_url}/h5/pay/{charge_id}"

    def invoice(self, charge_id: str) -> str:
        """Give the address of a receipt; it shows the receipt as it is when it is opened."""
        token, _ = self._invoices.mint(charge_id)
        return f"{self._public_url}/h5/invoices/{token}.pdf"

    def history(self, consultation_id: str) -> str:
        """Give the address of the page of what is known of a consultation's patient: no secret either."""
        return f"{self._public_url}/h5/history/{consultation_id}"

    def studies(self, consultation_id: str) -> str:
        """Give the address of the page on which a doctor brings images to a consultation: no secret either."""
        return f"{self._public_url}/h5/studies/{consultation_id}"

    def device(self, code: str) -> str:
        """Give the address of the page that pairs a device at home: its one-time code is the right to do so."""
        return f"{self._public_url}/h5/devices/{code}"

    def quarantine(self, study_id: str) -> str:
        """Give the address of the page on which a doctor says whose a study is: no secret either."""
        return f"{self._public_url}/h5/quarantine/{study_id}"
