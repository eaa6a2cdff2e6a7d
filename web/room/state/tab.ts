import { isRaw, text } from '../../shared/raw'

/**
 * Who sits before this tab, kept for a reload: in sessionStorage, under a random number that stands after `#`. Several
 * pages in one tab (the phones of the desk) share that storage and are told apart by their numbers.
 */
export interface Tab {
  token: string
  consultation: string
  /** Whether the person has entered: a reload then leads back into the room. */
  entered: boolean
  audio: boolean
  camera: boolean
}

const PREFIX = 'qiaoyi-room-'

function keyIn(hash: string): string | null {
  return /^#\d{6,}$/.test(hash) ? PREFIX + hash.slice(1) : null
}

function newNumber(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  return `${first}${second}`.padStart(6, '0')
}

/** What this tab kept; null where it kept nothing, or may not keep anything. */
export function readTab(): Tab | null {
  const key = keyIn(location.hash)
  try {
    const kept: unknown = JSON.parse((key && sessionStorage.getItem(key)) || 'null')
    if (!isRaw(kept) || !kept.token) return null
    const { token, consultation, entered, audio, camera } = kept
    return { token: text(token), consultation: text(consultation), entered: entered === true, audio: audio !== false, camera: camera !== false }
  } catch {
    return null
  }
}

/** Keeps `tab`, and makes the address the room's own: without code and state, with the number. */
export function keepTab(tab: Tab): void {
  const key = keyIn(location.hash) ?? PREFIX + newNumber()
  try {
    sessionStorage.setItem(key, JSON.stringify(tab))
  } catch {
    // A browser that keeps nothing asks again after a reload; the room itself works.
  }
  history.replaceState(null, '', `/h5/rooms/${encodeURIComponent(tab.consultation)}#${key.slice(PREFIX.length)}`)
}

export function forgetTab(): void {
  const key = keyIn(location.hash)
  try {
    if (key) sessionStorage.removeItem(key)
  } catch {
    // there was nothing to forget
  }
}

/** The consultation that the address names; null on `/v`. */
export function consultationIn(path: string): string | null {
  const found = /^\/h5\/rooms\/([^/]+)\/?$/.exec(path)
  return found?.[1] ? decodeURIComponent(found[1]) : null
}
