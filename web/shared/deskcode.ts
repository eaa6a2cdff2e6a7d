import { callJson } from './http'
import { isRaw, text } from './raw'

/** Eight digits to type at `address` on a computer: good for five minutes, and once. */
export interface DeskCode {
  code: string
  address: string
}

/** The pages of a consultation to which a code may lead. */
export type DeskPage = 'room' | 'studies'

/** Makes a code that leads whoever holds `token` to a page on a computer. Raises ApiError. */
export async function makeDeskCode(consultation: string, token: string, page: DeskPage): Promise<DeskCode> {
  const address = `/api/v1/consultations/${encodeURIComponent(consultation)}/room/desk-code?page=${page}`
  const answer: unknown = await callJson(address, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })
  const raw = isRaw(answer) ? answer : {}
  return { code: text(raw.code), address: text(raw.address) }
}
