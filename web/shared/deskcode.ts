import { callJson, postJson } from './http'
import { isRaw, text } from './raw'

/** Eight digits to type at `address` on a computer: good for five minutes, and once. */
export interface DeskCode {
  code: string
  address: string
}

/** The pages of a consultation to which a code may lead. */
export type DeskPage = 'room' | 'studies' | 'reports'

/** Makes a code that leads whoever holds `token` to a page on a computer. Raises ApiError. */
export async function makeDeskCode(consultation: string, token: string, page: DeskPage): Promise<DeskCode> {
  const address = `/api/v1/consultations/${encodeURIComponent(consultation)}/room/desk-code?page=${page}`
  const answer: unknown = await callJson(address, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })
  const raw = isRaw(answer) ? answer : {}
  return { code: text(raw.code), address: text(raw.address) }
}

/** Redeems the eight digits: whose they were, of which consultation, and to which page they lead. Raises ApiError where they are wrong, used or over. */
export async function openDeskSession(code: string): Promise<{ token: string; consultation: string; page: DeskPage }> {
  const answer: unknown = await postJson('/api/v1/desk-session', { code })
  const raw = isRaw(answer) ? answer : {}
  const page = raw.page === 'studies' || raw.page === 'reports' ? raw.page : 'room'
  return { token: text(raw.token), consultation: text(raw.consultation_id), page }
}
