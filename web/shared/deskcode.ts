import { callJson, postJson } from './http'
import { isRaw, text } from './raw'

/** Eight digits to type at `address` on a computer: good for five minutes, and once. */
export interface DeskCode {
  code: string
  address: string
}

/** Makes a code that leads whoever holds `token` to a computer. Raises ApiError. */
export async function makeDeskCode(consultation: string, token: string): Promise<DeskCode> {
  const address = `/api/v1/consultations/${encodeURIComponent(consultation)}/room/desk-code`
  const answer: unknown = await callJson(address, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })
  const raw = isRaw(answer) ? answer : {}
  return { code: text(raw.code), address: text(raw.address) }
}

/** Redeems the eight digits: whose they were, and of which consultation. Raises ApiError where they are wrong, used or over. */
export async function openDeskSession(code: string): Promise<{ token: string; consultation: string }> {
  const answer: unknown = await postJson('/api/v1/desk-session', { code })
  const raw = isRaw(answer) ? answer : {}
  return { token: text(raw.token), consultation: text(raw.consultation_id) }
}
