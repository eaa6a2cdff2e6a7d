import type { Picture } from './types'

const SCREEN_FRAMES_MOST = 8
/** An old phone that encodes more grows hot and slow. */
const PHONE_MOST: Picture = { width: 1280, height: 720, frameRate: 25, bitrate: 1_500_000 }

/** What a phone sends where it is asked for `picture`: no more than it can keep up for an hour. */
export function forPhone(picture: Picture): Picture {
  return picture.bitrate > PHONE_MOST.bitrate ? PHONE_MOST : picture
}

/** By how much a picture of `height` lines (its shorter side) is made smaller before it is sent; never larger. */
export function scaleDown(shorterSide: number, picture: Picture): number {
  const wanted = Math.min(picture.width, picture.height)
  return Math.max(1, shorterSide / wanted)
}

/** Makes `sender` send the camera as `picture` asks; nothing where it is null. */
export async function adaptCamera(sender: RTCRtpSender, picture: Picture | null): Promise<void> {
  if (picture && sender.track) await askCamera(sender.track, picture)
  const { width = 0, height = 0 } = sender.track?.getSettings() ?? {}
  await change(sender, (encoding) => {
    encoding.active = picture !== null
    if (!picture) return
    encoding.maxBitrate = picture.bitrate
    encoding.maxFramerate = picture.frameRate
    encoding.scaleResolutionDownBy = scaleDown(Math.min(width, height), picture)
  })
}

/** A screen keeps its lines, so that it can be read, and gives up frames instead. */
export async function adaptScreen(sender: RTCRtpSender, picture: Picture | null): Promise<void> {
  await change(sender, (encoding) => {
    encoding.active = picture !== null
    if (!picture) return
    encoding.maxBitrate = picture.bitrate
    encoding.maxFramerate = Math.min(picture.frameRate, SCREEN_FRAMES_MOST)
  })
}

/** The voice goes before everything else. */
export async function preferVoice(sender: RTCRtpSender): Promise<void> {
  await change(sender, (encoding) => {
    encoding.priority = 'high'
    encoding.networkPriority = 'high'
  })
}

async function askCamera(track: MediaStreamTrack, picture: Picture): Promise<void> {
  const wanted = {
    width: { ideal: picture.width },
    height: { ideal: picture.height },
    frameRate: { ideal: picture.frameRate, max: 30 },
  }
  try {
    await track.applyConstraints(wanted)
  } catch {
    // A camera that cannot is scaled down by the encoder.
  }
}

async function change(sender: RTCRtpSender, alter: (encoding: RTCRtpEncodingParameters) => void): Promise<void> {
  const parameters = sender.getParameters()
  if (!parameters.encodings?.length) return // nothing is agreed yet
  parameters.encodings.forEach(alter)
  try {
    await sender.setParameters(parameters)
  } catch {
    // Replaced meanwhile, or a browser that does not know one of the values: the server's own cap still holds.
  }
}
