"""The imaging service: one name for the use cases, which live in files by subject."""

from typing import Any

from backend.imaging.compression import DELETE_TIMER, Compression
from backend.imaging.documents import Documents
from backend.imaging.forwarding import MAY_FORWARD
from backend.imaging.keyimages import KEY_IMAGES_TIMER, KeyImages
from backend.imaging.linking import CONSUMER, MAY_LINK, SETTLED_TIMER
from backend.imaging.overview import StudyOverviews
from backend.imaging.photographs import Photographs
from backend.imaging.retention import Retention
from backend.imaging.senders import Senders
from backend.imaging.sending import Sending
from backend.imaging.teaching import MAY_RELEASE
from backend.imaging.teaching_overview import TeachingOverviews
from backend.imaging.upkeep import Upkeep
from backend.imaging.upload_jobs import Unpacking
from backend.imaging.uploads import OVER_TIMER


class ImagingService(
    Documents,
    Photographs,
    KeyImages,
    Unpacking,
    Sending,
    TeachingOverviews,
    StudyOverviews,
    Senders,
    Compression,
    Retention,
    Upkeep,
):
    """All use cases of imaging. Where each lives:

    * `intake`: receive, file_document
    * `documents`: basis, document
    * `linking`: the search for a study's consultation, on arrival and when a consultation begins; what is told of it
    * `quarantine`: studies_of, studies_of_number, quarantined, waiting, differences, choices, assign, reject
    * `retrieval`: study, series_of, instances_of, transfer_syntaxes, instance, headers_of, header, stored_file,
      decoded_file, stored_frame, decoded_frame, rendered
    * `headerkeeping`: keep_headers
    * `senders`: register_stow_sender, register_store_sender, deactivate_sender, senders, sender_of_token,
      sender_of_title
    * `compression`: keep_compressing, compress_next, savings
    * `destinations`: register_destination, change_destination, deactivate_destination, destinations, probe_destination
    * `forwarding`: what goes where when a case is assigned and when images come; transfers, resend
    * `teaching`, `teaching_overview`: send_for_teaching; teaching
    * `sending`, `parcels`: keep_forwarding, forward_waiting
    * `retention`: remove_rejected, keep_rejected_removed
    * `keyimages`: key_images, may_mark, mark_key_image, unmark_key_image; what is told of them
    * `photographs`: photographs, photograph_thumbnail, may_convert, convert_photograph
    * `uploads`: begin_upload, upload, append_upload, drop_upload, batch
    * `upload_jobs`: keep_unpacking, unpack_next
    * `overview`: studies_overseen, routes, refusals
    * `upkeep`: sweep_objects, keep_objects_swept
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(SETTLED_TIMER, self._on_settled)
        self._timers.on(KEY_IMAGES_TIMER, self._on_key_images_settled)
        self._timers.on(DELETE_TIMER, self._on_delete)
        self._timers.on(OVER_TIMER, self._on_upload_over)
        self._events.subscribe(CONSUMER, MAY_LINK, self._on_consultation)
        self._events.subscribe(CONSUMER, MAY_FORWARD, self._on_forwarding)
        self._events.subscribe(CONSUMER, MAY_RELEASE, self._on_teaching_consent)
