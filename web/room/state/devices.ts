/** Opening camera and microphone, with stable words for what can go wrong. */
export type DeviceFault = 'denied' | 'none' | 'busy' | 'insecure' | 'too_old'

export interface Opened {
  track: MediaStreamTrack | null
  fault: DeviceFault | null
}

export interface CameraWish {
  /** The camera that was chosen from the list; empty for any. */
  id: string
  facing: 'user' | 'environment'
}

const FAULTS: Record<string, DeviceFault> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'none',
  OverconstrainedError: 'none',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

/** Why this page can have no devices at all; null where it may try. */
export function generalFault(): DeviceFault | null {
  if (!window.isSecureContext) return 'insecure'
  const able = typeof navigator.mediaDevices?.getUserMedia === 'function' && typeof RTCPeerConnection === 'function'
  return able ? null : 'too_old'
}

function cameraConstraints(wish: CameraWish): MediaTrackConstraints {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } }
  return wish.id ? { ...size, deviceId: { ideal: wish.id } } : { ...size, facingMode: { ideal: wish.facing } }
}

function microphoneConstraints(id: string): MediaTrackConstraints {
  return { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(id ? { deviceId: { ideal: id } } : {}) }
}

async function open(constraints: MediaStreamConstraints): Promise<MediaStream | DeviceFault> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints)
  } catch (error) {
    return FAULTS[error instanceof DOMException ? error.name : ''] ?? 'busy'
  }
}

function first(tracks: MediaStreamTrack[], opened: MediaStream | DeviceFault): Opened {
  return typeof opened === 'string' ? { track: null, fault: opened } : { track: tracks[0] ?? null, fault: null }
}

export async function openCamera(wish: CameraWish): Promise<Opened> {
  const general = generalFault()
  if (general) return { track: null, fault: general }
  const opened = await open({ video: cameraConstraints(wish) })
  return first(typeof opened === 'string' ? [] : opened.getVideoTracks(), opened)
}

export async function openMicrophone(id: string): Promise<Opened> {
  const general = generalFault()
  if (general) return { track: null, fault: general }
  const opened = await open({ audio: microphoneConstraints(id) })
  return first(typeof opened === 'string' ? [] : opened.getAudioTracks(), opened)
}

/** Both with one question to the person; where that fails each by itself, so that one of them is enough. */
export async function openBoth(wish: CameraWish, microphone: string): Promise<{ camera: Opened; microphone: Opened }> {
  if (!generalFault()) {
    const both = await open({ video: cameraConstraints(wish), audio: microphoneConstraints(microphone) })
    if (typeof both !== 'string') {
      return { camera: first(both.getVideoTracks(), both), microphone: first(both.getAudioTracks(), both) }
    }
  }
  return { microphone: await openMicrophone(microphone), camera: await openCamera(wish) }
}

export interface DeviceChoice {
  id: string
  name: string
}

/** The cameras and microphones that can be chosen. */
export async function listDevices(): Promise<{ cameras: DeviceChoice[]; microphones: DeviceChoice[] }> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? []
  const of = (kind: MediaDeviceKind, word: string) =>
    all
      .filter((device) => device.kind === kind && device.deviceId)
      .map((device, index) => ({ id: device.deviceId, name: device.label || `${word} ${index + 1}` }))
  return { cameras: of('videoinput', '摄像头'), microphones: of('audioinput', '麦克风') }
}
