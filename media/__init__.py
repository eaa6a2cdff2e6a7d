"""Video rooms: signalling, forwarding, quality, recording. Knows people, rooms and tokens, and no medicine."""

from media.without_av import stand_in

stand_in()  # before any module of this room imports aiortc
