"""A recording as the rooms of the product would have made it, of people who meet in a consultation."""

from backend.ids import new_id
from backend.video.recordings import Recordings
from media.segments import Segment
from qiaoyi.recordings import KeptSegments
from tests.media.studio import real_segments


async def keep_recording(video: Recordings, consultation_id: str, seconds: dict[str, int], began: float) -> str:
    """Keep a recording that `began` then (seconds since 1970), of so many seconds of each person; give its id."""
    recording, kept = new_id(), KeptSegments(video)
    segments: list[Segment] = [s for person, length in seconds.items() for s in real_segments(length, person)]
    await kept.begin(recording, consultation_id, began)
    for segment in segments:
        await kept.store(recording, segment)
    await kept.end(recording, began + max(seconds.values()))
    return recording
