import { onScopeDispose, ref } from 'vue'

const LOOK_MS = 500
/** A picture that stands still for so long is not being sent. */
const STILL_MS = 4000

/** Whether a video element has shown a new frame lately. */
export function useMoving(video: () => HTMLVideoElement | null) {
  const moving = ref(false)
  let frames = 0
  let changedAt = 0
  const looking = setInterval(() => {
    const element = video()
    const total = element?.getVideoPlaybackQuality?.().totalVideoFrames ?? 0
    if (total !== frames) changedAt = Date.now()
    frames = total
    // A page in the background is not drawn: what moved before is believed to move still.
    if (document.visibilityState !== 'visible') return
    // A browser that does not count frames is believed to show them once it has one.
    const uncounted = total === 0 && (element?.readyState ?? 0) >= HTMLMediaElement.HAVE_CURRENT_DATA
    moving.value = uncounted || (total > 0 && Date.now() - changedAt < STILL_MS)
  }, LOOK_MS)
  onScopeDispose(() => clearInterval(looking))
  return moving
}
