import { computed, onScopeDispose, reactive, shallowReactive, watch } from 'vue'
import {
  type CameraWish, type DeviceChoice, type DeviceFault, listDevices, openBoth, openCamera, openMicrophone, type Opened,
} from './devices'

export type LocalSource = 'audio' | 'camera'

function asStream(track: MediaStreamTrack | null): MediaStream | null {
  return track ? new MediaStream([track]) : null
}

/** This person's own camera and microphone: what is open, what is switched off, what went wrong. */
export function createLocal() {
  const tracks = shallowReactive<Record<LocalSource | 'screen', MediaStreamTrack | null>>({ audio: null, camera: null, screen: null })
  const state = reactive({
    starting: false,
    audioOn: true,
    cameraOn: true,
    faults: { audio: null, camera: null } as Record<LocalSource, DeviceFault | null>,
    /** What stopped by itself, as when a phone call takes the camera. */
    stopped: null as LocalSource | null,
    facing: 'user' as CameraWish['facing'],
    camera: '',
    microphone: '',
    cameras: [] as DeviceChoice[],
    microphones: [] as DeviceChoice[],
  })
  let run = 0

  function put(source: LocalSource, opened: Opened) {
    const { track } = opened
    const before = tracks[source]
    if (before && before !== track) before.stop()
    tracks[source] = track
    state.faults[source] = opened.fault
    if (!track) return
    if (source === 'camera') track.contentHint = 'motion'
    track.addEventListener('ended', () => {
      if (tracks[source] !== track) return
      tracks[source] = null
      state.stopped = source
    })
  }

  watch([() => tracks.audio, () => state.audioOn], () => tracks.audio && (tracks.audio.enabled = state.audioOn))
  watch([() => tracks.camera, () => state.cameraOn], () => tracks.camera && (tracks.camera.enabled = state.cameraOn))

  const wish = (): CameraWish => ({ id: state.camera, facing: state.facing })

  /** Opens both, also once more after a fault. */
  async function start() {
    const mine = ++run
    state.starting = true
    const opened = await openBoth(wish(), state.microphone)
    if (mine !== run) {
      opened.camera.track?.stop()
      opened.microphone.track?.stop()
      return
    }
    put('audio', opened.microphone)
    put('camera', opened.camera)
    state.stopped = null
    Object.assign(state, await listDevices())
    state.starting = false
  }

  /** Opens what is missing again: a phone gives a camera to one at a time, so the old one is closed first. */
  async function reopen(source: LocalSource) {
    if (source === 'camera') tracks.camera?.stop()
    put(source, source === 'camera' ? await openCamera(wish()) : await openMicrophone(state.microphone))
    if (state.stopped === source && tracks[source]) state.stopped = null
  }

  async function choose(source: LocalSource, id: string) {
    if (source === 'camera') state.camera = id
    else state.microphone = id
    await reopen(source)
  }

  async function switchCamera() {
    state.camera = ''
    state.facing = state.facing === 'user' ? 'environment' : 'user'
    await reopen('camera')
  }

  async function shareScreen(): Promise<boolean> {
    try {
      const shared = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 10 } } })
      const track = shared.getVideoTracks()[0] ?? null
      if (!track) return false
      track.contentHint = 'detail'
      track.addEventListener('ended', () => tracks.screen === track && (tracks.screen = null))
      tracks.screen = track
      return true
    } catch {
      return false // the person thought better of it
    }
  }

  function stopSharing() {
    tracks.screen?.stop()
    tracks.screen = null
  }

  function stop() {
    run += 1
    for (const source of ['audio', 'camera', 'screen'] as const) {
      const track = tracks[source]
      tracks[source] = null
      track?.stop()
    }
  }

  const renew = () => void listDevices().then((lists) => Object.assign(state, lists))
  navigator.mediaDevices?.addEventListener?.('devicechange', renew)
  onScopeDispose(() => {
    navigator.mediaDevices?.removeEventListener?.('devicechange', renew)
    stop()
  })

  // One stream a track: another one for the same track would make its picture begin anew.
  const streams = { camera: computed(() => asStream(tracks.camera)), screen: computed(() => asStream(tracks.screen)) }

  /** Whether one's own picture is shown as in a mirror: unless the camera says that it looks away. */
  const mirrored = computed(() => tracks.camera?.getSettings().facingMode !== 'environment')

  return { tracks, streams, mirrored, state, start, reopen, choose, switchCamera, shareScreen, stopSharing, stop }
}

export type Local = ReturnType<typeof createLocal>
