"""Resources of ours as one transaction for a hospital's FHIR server. Pure.

A hospital knows our resources by their identifier (urn:uuid), never by our addresses. So a reference to what is written
with it points there, one to the patient at the hospital's own patient, and every other says only what is meant: type,
identifier and name. What we have never written is created unless the hospital has it already (If-None-Exist), what it
has is changed while it is still as we read it (If-Match): the whole can be sent again.

Source: FHIR R4, sections 3.1.0.8 (conditional create) and 3.1.0.11 (transaction).
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from backend.fhir.elements import Resource, uuid_identifier
from backend.fhir.systems import URI

# Ours alone: identifiers of our server, its versions, and files that nobody can open without a session here.
_LEFT_OUT = {"id", "meta", "presentedForm"}
_ADDRESS = uuid.UUID("3c0c8f0a-5b0e-4d0c-9c52-8b0f6a9d2f11")

Key = tuple[str, str]
"""The type and the identifier of a resource of ours."""


@dataclass(frozen=True)
class Draft:
    """A resource that is to be at a hospital.

    Args:
        content: as it is there, but for the references between resources that are written.
        digest: tells whether it says what was written last.
    """

    key: Key
    content: Resource = field(repr=False)
    digest: str


@dataclass(frozen=True)
class Present:
    """What a hospital has of it: under which identifier, in which version, saying what."""

    remote_id: str
    version: str
    resource: Resource = field(repr=False)


def key_of(resource: Resource) -> Key:
    """Give what we know a resource by."""
    return resource["resourceType"], resource["id"]


def draft_of(resource: Resource, key: bytes) -> Draft:
    """Prepare a resource of the façade.

    Args:
        key: of the digest; a plain one of clinical text could be guessed.
    """
    content = {name: value for name, value in resource.items() if name not in _LEFT_OUT}
    said = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Draft(key_of(resource), content, hmac.new(key, said.encode(), hashlib.sha256).hexdigest())


def identifier_query(draft: Draft) -> str:
    """Give the search by which a resource of ours is found, percent-encoded; its first identifier is our `urn:uuid`."""
    return urlencode({"identifier": f"{URI}|{draft.content['identifier'][0]['value']}"})


def transaction(
    drafts: Sequence[Draft], present: Mapping[Key, Present], written: Mapping[Key, str], patient_id: str
) -> Resource:
    """Give the Bundle that brings `drafts` to a hospital.

    Args:
        present: those of them that the hospital has, as it has them now.
        written: the identifiers there of everything of this consultation that the hospital has.
        patient_id: the patient's at the hospital.
    """
    places = {key: f"{key[0]}/{remote_id}" for key, remote_id in written.items()}
    places |= {one.key: full_url(one.key) for one in drafts if one.key not in present}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(one, present.get(one.key), places, patient_id) for one in drafts],
    }


def full_url(key: Key) -> str:
    """Give how the entries of a transaction refer to a resource that is not there yet."""
    return f"urn:uuid:{uuid.uuid5(_ADDRESS, '/'.join(key))}"


def says_the_same(draft: Draft, present: Present, written: Mapping[Key, str], patient_id: str) -> bool:
    """Tell whether a hospital's resource says already what ours says; what it has besides is its own."""
    places = {key: f"{key[0]}/{remote_id}" for key, remote_id in written.items()}
    ours = _localised(draft.content, places, patient_id)
    return all(present.resource.get(name) == value for name, value in ours.items())


def _entry(draft: Draft, present: Present | None, places: Mapping[Key, str], patient_id: str) -> Resource:
    type_ = draft.key[0]
    content = _localised(draft.content, places, patient_id)
    if present is None:
        asked = {"method": "POST", "url": type_, "ifNoneExist": identifier_query(draft)}
        return {"fullUrl": full_url(draft.key), "resource": content, "request": asked}
    # What the hospital has added to it stays.
    kept = {**present.resource, **content, "id": present.remote_id}
    kept.pop("meta", None)
    asked = {"method": "PUT", "url": f"{type_}/{present.remote_id}", "ifMatch": f'W/"{present.version}"'}
    return {"resource": kept, "request": asked}


def _localised(value: Any, places: Mapping[Key, str], patient_id: str) -> Any:
    """Give a part of a resource with its references as the hospital understands them."""
    if isinstance(value, list):
        return [_localised(one, places, patient_id) for one in value]
    if not isinstance(value, dict):
        return value
    if "reference" in value:
        return _reference(value, places, patient_id)
    return {name: _localised(one, places, patient_id) for name, one in value.items()}


def _reference(reference: Resource, places: Mapping[Key, str], patient_id: str) -> Resource:
    type_, _, identifier = reference["reference"].partition("/")
    rest = {name: value for name, value in reference.items() if name != "reference"}
    if type_ == "Patient":
        return {"reference": f"Patient/{patient_id}"} | rest
    place = places.get((type_, identifier))
    if place is not None:
        return {"reference": place} | rest
    return {"type": type_, "identifier": uuid_identifier(identifier)} | rest
