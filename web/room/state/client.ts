import { callJson, postJson } from '../../shared/http'
import { parseEntry, parsePass, parseSession } from './parse'
import type { Entry, Pass } from './types'

/** The HTTP API of "Who may enter" (docs/video-rooms.md). Every function raises ApiError. */
const PICTURE_TIMEOUT_MS = 60_000

function room(consultation: string, part = ''): string {
  return `/api/v1/consultations/${encodeURIComponent(consultation)}/room${part}`
}

function asPerson(token: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }
}

export async function openDeskSession(code: string): Promise<{ token: string; consultation: string; page: string }> {
  return parseSession(await postJson('/api/v1/desk-session', { code }))
}

export async function readEntry(consultation: string, token: string): Promise<Entry> {
  return parseEntry(await callJson(room(consultation), asPerson(token)))
}

export async function fetchPass(consultation: string, token: string): Promise<Pass> {
  return parsePass(await callJson(room(consultation, '/pass'), asPerson(token, { method: 'POST' }), 6000))
}

/** Whether there are images of the consultation that this person may see. */
export async function hasImages(consultation: string, token: string): Promise<boolean> {
  const found: unknown = await callJson(`/dicomweb/view/studies?consultation=${encodeURIComponent(consultation)}`, asPerson(token))
  return Array.isArray(found) && found.length > 0
}

export async function keepSnapshot(consultation: string, token: string, picture: Blob): Promise<void> {
  const init = { method: 'POST', body: picture, headers: { 'Content-Type': 'image/jpeg' } }
  await callJson(room(consultation, '/snapshots'), asPerson(token, init), PICTURE_TIMEOUT_MS)
}
