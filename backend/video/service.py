"""The service of the video rooms: one name for the use cases, which live in files by subject."""

from typing import Any

from backend.video.desk_codes import DeskCodes
from backend.video.recordings import EXPIRY_TIMER
from backend.video.rooms import CONSUMER, MAY_CLOSE, Rooms
from backend.video.visits import EMPTY_TIMER


class VideoService(Rooms, DeskCodes):
    """All use cases of the video rooms. Where each lives:

    * `rooms`: room, enter, keep_snapshot; closing a room when its case ends
    * `visits`: happened; what is written when a meeting is over
    * `desk_codes`: desk_code, redeem_desk_code
    * `recordings`: answer_recording, begin_recording, store_segment, end_recording, recordings, open_recording,
      segments, segment_data; deleting a recording on its day
    * `nodes`: report_node, end_node, nodes, drain; which process carries a room

    Raises (besides what each method names):
        NotFound: no such consultation. Forbidden: the policy refuses.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(EMPTY_TIMER, self._on_empty)
        self._timers.on(EXPIRY_TIMER, self._on_recording_expired)
        self._events.subscribe(CONSUMER, MAY_CLOSE, self._on_case_changed)
