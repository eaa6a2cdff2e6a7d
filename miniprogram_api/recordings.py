"""Recordings of a consultation's video room: what there is, and opening one to play it."""

from datetime import datetime

from backend.security.policy import Role
from backend.video.recordings import RecordingView
from backend.video.rules import LABELS
from miniprogram_api.endpoint import Call, Endpoint, Model

_CONSULTATION = {"consultation_id": "The consultation."}
_RECORDING = {**_CONSULTATION, "recording_id": "One of its recordings."}


class TrackItem(Model):
    """What one person sent of one kind, `camera` (with the voice) or `screen`.

    Attributes:
        label: what they are called in the room.
        begins_ms: when it begins, counted from the beginning of the recording.
        size: bytes.
    """

    id: str
    person: str
    name: str
    label: str
    role: Role
    source: str
    begins_ms: int
    duration_ms: int
    size: int


class RecordingItem(Model):
    """A recording; one that is not `finished` goes on and cannot be opened yet. At `delete_at` it is deleted."""

    id: str
    started_at: datetime
    duration_ms: int
    finished: bool
    delete_at: datetime
    tracks: list[TrackItem]


class RecordingList(Model):
    """The recordings of a consultation, the oldest first."""

    items: list[RecordingItem]


class TrackAddress(Model):
    """Where a `<video>` element finds a track (`video/webm`, with ranges): whoever has the address may see it."""

    id: str
    address: str


class OpenedRecording(Model):
    """A recording that was opened: its addresses are good until `expires_at`; open it again for new ones."""

    expires_at: datetime
    tracks: list[TrackAddress]


def _item(view: RecordingView) -> RecordingItem:
    tracks = [
        TrackItem(
            id=track.id,
            person=track.person_id,
            name=track.name,
            label=LABELS[track.role],
            role=track.role,
            source=track.source,
            begins_ms=track.begins_ms,
            duration_ms=track.duration_ms,
            size=track.size,
        )
        for track in view.tracks
    ]
    return RecordingItem(
        id=view.id,
        started_at=view.started_at,
        duration_ms=view.duration_ms,
        finished=view.ended_at is not None,
        delete_at=view.delete_at,
        tracks=tracks,
    )


async def _list(call: Call) -> RecordingList:
    views = await call.context.video.recordings(call.actor, call.path["consultation_id"])
    return RecordingList(items=[_item(view) for view in views])


async def _open(call: Call) -> OpenedRecording:
    consultation_id, recording_id = call.path["consultation_id"], call.path["recording_id"]
    view = await call.context.video.open_recording(call.actor, consultation_id, recording_id)
    minted = [(track.id, *call.context.recording_links.mint(track.id)) for track in view.tracks]
    return OpenedRecording(
        expires_at=min(until for _, _, until in minted),
        tracks=[TrackAddress(id=track_id, address=f"/h5/media/{token}.webm") for track_id, token, _ in minted],
    )


_PATH = "/api/v1/consultations/{consultation_id}/recordings"

ENDPOINTS = (
    Endpoint("GET", _PATH, "listRecordings", "What was recorded", _list, RecordingList, path_parameters=_CONSULTATION),
    Endpoint(
        "POST",
        f"{_PATH}/{{recording_id}}/opening",
        "openRecording",
        "Open a recording to play it",
        _open,
        OpenedRecording,
        status=201,
        path_parameters=_RECORDING,
    ),
)
