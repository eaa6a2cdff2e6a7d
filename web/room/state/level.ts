import { onScopeDispose, ref, watch } from 'vue'

const READ_MS = 80
/** Ordinary speech has some −20 dB of full scale; the meter is full a little above it. */
const FULL_AT = 0.2

/** How loud a microphone is now, from 0 to 1, and whether it was ever heard. */
export function useLevel(track: () => MediaStreamTrack | null) {
  const level = ref(0)
  const heard = ref(false)
  let context: AudioContext | null = null
  let reading: ReturnType<typeof setInterval> | undefined

  function stop() {
    clearInterval(reading)
    level.value = 0
    void context?.close()
    context = null
  }

  function start(heardFrom: MediaStreamTrack) {
    const own = (context = new AudioContext())
    const analyser = own.createAnalyser()
    own.createMediaStreamSource(new MediaStream([heardFrom])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    reading = setInterval(() => {
      if (own.state === 'suspended') void own.resume()
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      level.value = Math.min(1, Math.sqrt(power) / FULL_AT)
      if (level.value > 0.08) heard.value = true
    }, READ_MS)
  }

  watch(track, (now) => {
    stop()
    heard.value = false
    if (now) start(now)
  }, { immediate: true })
  onScopeDispose(stop)
  return { level, heard }
}
