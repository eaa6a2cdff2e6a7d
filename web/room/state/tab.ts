import { forget, keep, readKept } from '../../shared/kept'
import { isRaw, text } from '../../shared/raw'

/** Who sits before this page, kept for a reload. */
export interface Tab {
  token: string
  consultation: string
  /** Whether the person has entered: a reload then leads back into the room. */
  entered: boolean
  audio: boolean
  camera: boolean
}

const PREFIX = 'qiaoyi-room-'

/** What this page kept; null where it kept nothing, or may not keep anything. */
export function readTab(): Tab | null {
  const kept = readKept(PREFIX)
  if (!isRaw(kept) || !kept.token) return null
  const { token, consultation, entered, audio, camera } = kept
  return { token: text(token), consultation: text(consultation), entered: entered === true, audio: audio !== false, camera: camera !== false }
}

/** Keeps `tab`, and makes the address the room's own. */
export function keepTab(tab: Tab): void {
  keep(PREFIX, tab, `/h5/rooms/${encodeURIComponent(tab.consultation)}`)
}

export function forgetTab(): void {
  forget(PREFIX)
}

/** The consultation that the address names; null on `/v`. */
export function consultationIn(path: string): string | null {
  const found = /^\/h5\/rooms\/([^/]+)\/?$/.exec(path)
  return found?.[1] ? decodeURIComponent(found[1]) : null
}
