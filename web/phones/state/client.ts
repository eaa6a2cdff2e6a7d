import { callJson, getJson, postJson } from '../../shared/http'
import { parseClock, parseJournal, parseMenu, parseMessages, parsePayment, parsePhones, parseQrCodes, parseSubscribeTemplates } from './parse'
import type { JournalEntry, MenuButton, Message, Payment, PhoneInfo, QrCode, SubscribeTemplate } from './types'

/** The sandbox's phones API (docs/sandbox.md). Every function raises ApiError. */
const PAGE = 200

function phone(openid: string, action: string): string {
  return `/api/phones/${encodeURIComponent(openid)}/${action}`
}

export async function listPhones(): Promise<PhoneInfo[]> {
  return parsePhones(await getJson('/api/phones'))
}

export async function addPhone(nickname: string): Promise<string> {
  return (await postJson<{ openid: string }>('/api/phones', { nickname })).openid
}

/** All messages after `after`, read page by page. */
export async function messagesAfter(openid: string, after: number): Promise<Message[]> {
  const all: Message[] = []
  let last = after
  for (;;) {
    const page = parseMessages(await getJson(`${phone(openid, 'messages')}?after=${last}&limit=${PAGE}`))
    all.push(...page)
    const end = page.at(-1)
    if (!end || page.length < PAGE || end.seq <= last) return all
    last = end.seq
  }
}

export async function menuOf(openid: string): Promise<MenuButton[]> {
  return parseMenu(await getJson(phone(openid, 'menu')))
}

export async function qrCodes(): Promise<QrCode[]> {
  return parseQrCodes(await getJson('/api/qrcodes'))
}

export async function subscribeTemplates(): Promise<SubscribeTemplate[]> {
  return parseSubscribeTemplates(await getJson('/api/account'))
}

export const follow = (openid: string, scene?: string) => postJson(phone(openid, 'follow'), scene ? { scene } : {})
export const unfollow = (openid: string) => postJson(phone(openid, 'unfollow'))
export const sendText = (openid: string, text: string) => postJson(phone(openid, 'text'), { text })
export const pressMenu = (openid: string, key: string) => postJson<{ url?: string }>(phone(openid, 'menu'), { key })
export const tapItem = (openid: string, seq: number, item: string) =>
  postJson(phone(openid, 'tap'), { message_seq: seq, item })
export const scan = (openid: string, scene: string) => postJson(phone(openid, 'scan'), { scene })
export const speak = (openid: string, recognition: string) => postJson(phone(openid, 'voice'), { recognition })
export const markRead = (openid: string, seq: number) => postJson(phone(openid, 'read'), { seq })
export const sendLocation = (openid: string, place: { lat: number; lon: number; label: string }) =>
  postJson(phone(openid, 'location'), place)
export const answerConsent = (openid: string, template: string, accept: boolean) =>
  postJson(phone(openid, 'consent'), { template_id: template, accept })

/** What the payment sheet shows of what a page hands to it. */
export async function openPayment(openid: string, fields: Record<string, string>): Promise<Payment> {
  return parsePayment(await postJson(phone(openid, 'payments'), fields))
}

export const confirmPayment = (openid: string, prepayId: string, password: string) =>
  postJson(phone(openid, `payments/${encodeURIComponent(prepayId)}`), { password })

export function sendImage(openid: string, file: File): Promise<unknown> {
  const form = new FormData()
  form.append('media', file)
  return callJson(phone(openid, 'image'), { method: 'POST', body: form }, 60_000)
}

export async function clockNow(): Promise<number | null> {
  return parseClock(await getJson('/api/clock'))
}

export async function advanceClock(seconds: number): Promise<number | null> {
  return parseClock(await postJson('/api/clock/advance', { seconds }))
}

export async function resetClock(): Promise<number | null> {
  return parseClock(await postJson('/api/clock/reset'))
}

/** The latest journal entries after `after`, oldest first. */
export async function journal(after: number, limit: number): Promise<JournalEntry[]> {
  return parseJournal(await getJson(`/api/journal?after=${after}&limit=${limit}`))
}
