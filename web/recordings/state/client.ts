import { callJson } from '../../shared/http'
import { parseOpening, parseRecordings } from './parse'
import type { Recording } from './types'

/** The recordings of a consultation. Every function raises ApiError. */
function path(consultation: string): string {
  return `/api/v1/consultations/${encodeURIComponent(consultation)}/recordings`
}

function asPerson(token: string): RequestInit {
  return { headers: { Authorization: `Bearer ${token}` } }
}

export async function listRecordings(consultation: string, token: string): Promise<Recording[]> {
  return parseRecordings(await callJson(path(consultation), asPerson(token)))
}

export async function openRecording(consultation: string, recording: string, token: string): Promise<Map<string, string>> {
  const address = `${path(consultation)}/${encodeURIComponent(recording)}/opening`
  return parseOpening(await callJson(address, { ...asPerson(token), method: 'POST' }))
}
