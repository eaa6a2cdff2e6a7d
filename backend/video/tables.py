"""Tables of the video rooms: who carries them, who came, what was agreed to, and what was recorded."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime, coded
from backend.security.policy import Role


class NodeState(StrEnum):
    """What a media process takes on."""

    SERVING = "serving"
    DRAINING = "draining"  # keeps the rooms that it has, takes no new ones
    ENDED = "ended"  # carries nothing any more, by its own word


class MediaNode(Base):
    """One media process that has started; it is alive as long as it says so."""

    __tablename__ = "media_nodes"
    __table_args__ = (Index("ix_media_nodes_seen_at", "seen_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    region: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(255))
    state: Mapped[NodeState] = mapped_column(coded(NodeState))
    capacity: Mapped[int]
    rooms: Mapped[int]
    people: Mapped[int]
    cpu: Mapped[float]
    loop_lag: Mapped[float]
    # Both by the database's clock, which no sandbox moves.
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class VideoRoom(Base):
    """The room of a consultation, and the process that carries it."""

    __tablename__ = "video_rooms"
    __table_args__ = (Index("ix_video_rooms_node", "node_id"), Base.__table_args__)

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    node_id: Mapped[str | None] = mapped_column(Id)
    pinned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # by the database's clock
    begun: Mapped[bool] = mapped_column(default=False)  # somebody is in it there, says the process
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # of its last meeting that is in the timeline


class RoomVisit(Base):
    """One stay of a person in a room, or before its door: a row from their coming to their going, at one process."""

    __tablename__ = "video_room_visits"
    __table_args__ = (Index("ix_video_room_visits_case", "consultation_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    person_id: Mapped[str] = mapped_column(Id)
    role: Mapped[Role] = mapped_column(coded(Role))
    node_id: Mapped[str] = mapped_column(Id)
    came_at: Mapped[datetime] = mapped_column(UTCDateTime)
    entered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class RecordingConsent(Base):
    """What somebody answered when they were asked whether they may be recorded; the last answer counts."""

    __tablename__ = "recording_consents"
    __table_args__ = (Index("ix_recording_consents_case", "consultation_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    person_id: Mapped[str] = mapped_column(Id)
    agreed: Mapped[bool]
    answered_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Recording(Base):
    """One stretch of a consultation that was recorded, from the last consent to the first no or the end."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("ix_recordings_case", "consultation_id", "started_at"),
        Index("ix_recordings_delete_at", "delete_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delete_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RecordingTrack(Base):
    """What one person sent of one kind (camera with voice, or screen) during a recording; it begins some milliseconds
    after that."""

    __tablename__ = "recording_tracks"
    __table_args__ = (UniqueConstraint("recording_id", "person_id", "source"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    person_id: Mapped[str] = mapped_column(Id)
    role: Mapped[Role] = mapped_column(coded(Role))
    source: Mapped[str] = mapped_column(String(8))
    begins_ms: Mapped[int]
    name: Mapped[str] = mapped_column(EncryptedText("recording_tracks.name"))


class RecordingSegment(Base):
    """A few seconds of a track: a file of the file store that holds a Matroska cluster. Its times count from the
    beginning of the track; the rest is what the header of the whole has to say."""

    __tablename__ = "recording_segments"

    track_id: Mapped[str] = mapped_column(ForeignKey("recording_tracks.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[str] = mapped_column(Id)
    begins_ms: Mapped[int]
    ends_ms: Mapped[int]
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    voice: Mapped[bool]
    keyframe: Mapped[bool]  # its pictures begin with a whole one


class DeskCode(Base):
    """A short code by which somebody goes on at a desktop browser with what they opened on their phone."""

    __tablename__ = "desk_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(Id)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    page: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
