import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { Recording, Track } from './types'

/** The boundary: turns what the server answered into our own types. */
function track(raw: Raw): Track {
  return {
    id: text(raw.id),
    name: text(raw.name),
    label: text(raw.label),
    isScreen: raw.source === 'screen',
    begins: number(raw.begins_ms) / 1000,
    duration: number(raw.duration_ms) / 1000,
  }
}

export function parseRecordings(value: unknown): Recording[] {
  return objects(isRaw(value) ? value.items : null).map((raw) => ({
    id: text(raw.id),
    startedAt: toMillis(raw.started_at) ?? 0,
    deleteAt: toMillis(raw.delete_at) ?? 0,
    duration: number(raw.duration_ms) / 1000,
    finished: raw.finished === true,
    tracks: objects(raw.tracks).map(track),
  }))
}

/** The address of each track of an opened recording, by its id; only addresses of our own server. */
export function parseOpening(value: unknown): Map<string, string> {
  const found = objects(isRaw(value) ? value.tracks : null).map((raw) => [text(raw.id), text(raw.address)] as const)
  return new Map(found.filter(([, address]) => /^\/(?!\/)/.test(address)))
}
