import { onScopeDispose, ref, watch } from 'vue'
import type { Stack } from './stack'

export const RATES = [2, 5, 10, 15, 20, 25, 30]
const USUAL_RATE = 10

/** Plays the stack over and over. A picture that has not come is waited for, never passed over. */
export function createCine(stack: Stack) {
  const isPlaying = ref(false)
  const rate = ref(USUAL_RATE)
  let frame = 0
  let due = 0

  function tick(now: number) {
    if (!isPlaying.value) return
    if (now >= due && stack.shown.value === stack.wanted.value) {
      const count = stack.pictures.value.length
      const next = (stack.wanted.value + 1) % count
      // A late picture does not make the next ones hurry.
      due = Math.max(due + 1000 / rate.value, now - 1000 / rate.value)
      stack.go(next)
    }
    frame = requestAnimationFrame(tick)
  }

  function pause() {
    isPlaying.value = false
    cancelAnimationFrame(frame)
  }

  function toggle() {
    if (isPlaying.value) {
      pause()
      return
    }
    if (stack.pictures.value.length < 2) return
    isPlaying.value = true
    due = performance.now()
    frame = requestAnimationFrame(tick)
  }

  watch(stack.pictures, ([first]) => {
    pause()
    const asked = first?.rate ?? USUAL_RATE
    rate.value = RATES.reduce((best, one) => (Math.abs(one - asked) < Math.abs(best - asked) ? one : best))
  })
  onScopeDispose(pause)
  return { isPlaying, rate, toggle, pause }
}
