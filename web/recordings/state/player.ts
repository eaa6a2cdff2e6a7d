import { onBeforeUnmount, ref, shallowReactive } from 'vue'
import { mustWait, order, type Player } from './sync'
import type { Recording } from './types'

const TICK_MS = 100
const HAVE_FUTURE_DATA = 3

/** Plays the tracks of a recording together: one clock, and every `<video>` follows it. */
export function createPlayer(recording: Recording) {
  const time = ref(0)
  const playing = ref(false)
  const waiting = ref(false)
  const videos = shallowReactive(new Map<string, HTMLVideoElement>())
  let last = performance.now()

  function players(): { video: HTMLVideoElement; player: Player }[] {
    return recording.tracks.flatMap((track) => {
      const video = videos.get(track.id)
      if (!video) return []
      const isReady = video.ended || (!video.seeking && video.readyState >= HAVE_FUTURE_DATA)
      const player = { begins: track.begins, duration: track.duration, at: video.currentTime, isReady }
      return [{ video, player }]
    })
  }

  function follow() {
    for (const { video, player } of players()) {
      const { seek, run } = order(player, time.value, playing.value && !waiting.value)
      if (seek !== null && !video.seeking && video.readyState > 0) video.currentTime = seek
      if (run && video.paused && !video.ended) void video.play().catch(() => undefined) // interrupted by the next order
      if (!run && !video.paused) video.pause()
    }
  }

  function tick() {
    const now = performance.now()
    if (playing.value) {
      waiting.value = mustWait(players().map(({ player }) => player), time.value)
      if (!waiting.value) time.value = Math.min(time.value + (now - last) / 1000, recording.duration)
      if (time.value >= recording.duration) playing.value = false
    }
    last = now
    follow()
  }

  const timer = setInterval(tick, TICK_MS)
  onBeforeUnmount(() => clearInterval(timer))

  return {
    time, playing, waiting, videos,
    toggle() {
      if (!playing.value && time.value >= recording.duration) time.value = 0
      playing.value = !playing.value
      waiting.value = false
      last = performance.now()
      follow()
    },
    seek(to: number) {
      time.value = Math.min(Math.max(to, 0), recording.duration)
      follow()
    },
  }
}

export type RecordingPlayer = ReturnType<typeof createPlayer>
