import { onScopeDispose, type ShallowRef } from 'vue'
import type { View } from '../../viewer/state/geometry'
import { between } from '../../viewer/state/together'

/** About as long as one message comes after another. */
const GLIDE_MS = 60

/** Moves a view to where the leader's is, without the steps in which that comes. */
export function createGlide(view: ShallowRef<View>) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  let frame = 0
  let target: View | null = null
  const stop = () => {
    cancelAnimationFrame(frame)
    target = null
  }
  onScopeDispose(stop)

  function to(next: View) {
    const aim = target ?? view.value
    if (aim.zoom === next.zoom && aim.panX === next.panX && aim.panY === next.panY) return
    stop()
    // A page that is not looked at draws no frames.
    if (calm.matches || document.visibilityState !== 'visible') {
      view.value = next
      return
    }
    target = next
    const [from, start] = [view.value, performance.now()]
    const step = (now: number) => {
      const share = Math.max(0, (now - start) / GLIDE_MS)
      view.value = between(from, next, share)
      if (share < 1) frame = requestAnimationFrame(step)
      else target = null
    }
    frame = requestAnimationFrame(step)
  }

  return { to, stop }
}
