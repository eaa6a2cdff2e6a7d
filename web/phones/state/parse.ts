import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import { safeUrl } from '../../shared/richtext'
import type { Article, Field, JournalEntry, MenuButton, MenuItem, Message, Payment, PhoneInfo, QrCode, SubscribeTemplate } from './types'

/** The boundary: turns what the sandbox answered into our own types. Nothing here trusts a shape, nothing here throws. */
function url(value: unknown): string | null {
  return safeUrl(text(value), globalThis.location?.href)
}

export function parsePhones(value: unknown): PhoneInfo[] {
  return objects(value)
    .filter((raw) => text(raw.openid))
    .map((raw) => ({
      openid: text(raw.openid),
      nickname: text(raw.nickname) || '未命名',
      following: raw.following === true,
      unread: number(raw.unread),
      lastSeq: number(raw.last_seq),
      roleHint: text(raw.role_hint),
      last: parseMessage(raw.last_message),
      consents: Object.fromEntries(Object.entries(isRaw(raw.consents) ? raw.consents : {}).map(([id, n]) => [id, number(n)])),
    }))
}

function parseItems(value: unknown): MenuItem[] {
  return objects(value).map((raw) => ({ id: text(raw.id), text: text(raw.text ?? raw.content) }))
}

function parseFields(value: unknown): Field[] {
  return objects(value).map((raw) => ({ key: text(raw.key), label: text(raw.label), value: text(raw.value) }))
}

function parseArticle(raw: Raw): Article {
  return { title: text(raw.title), description: text(raw.description), url: url(raw.url), picture: url(raw.pic_url) }
}

type Body = Message extends infer M ? (M extends Message ? Omit<M, 'seq' | 'at' | 'from'> : never) : never

const bodies: Record<string, (raw: Raw) => Body> = {
  text: (raw) => ({ kind: 'text', text: text(raw.text) }),
  menu: (raw) => ({ kind: 'menu', text: text(raw.text), items: parseItems(raw.items), tail: text(raw.tail) }),
  news: (raw) => {
    const articles = objects(raw.articles)
    return { kind: 'news', articles: (articles.length > 0 ? articles : [raw]).map(parseArticle) }
  },
  music: (raw) => ({ kind: 'news', articles: [parseArticle(raw)] }),
  image: (raw) => ({ kind: 'image', url: url(raw.url) }),
  voice: (raw) => ({ kind: 'voice', text: text(raw.text ?? raw.recognition), url: url(raw.url) }),
  template: (raw) => ({ kind: 'template', title: text(raw.title), fields: parseFields(raw.fields), url: url(raw.url) }),
  subscribe: (raw) => ({ kind: 'subscribe', title: text(raw.title), fields: parseFields(raw.fields), url: url(raw.url) }),
  miniprogrampage: (raw) => ({
    kind: 'miniprogrampage',
    title: text(raw.title),
    picture: url(raw.pic_url),
    url: url(raw.url),
  }),
  location: (raw) => ({ kind: 'location', lat: number(raw.lat), lon: number(raw.lon), label: text(raw.label) }),
  notice: (raw) => ({ kind: 'notice', text: text(raw.text) }),
}

/** One message, or null when it has no sequence number (it could be neither ordered nor told from others). */
export function parseMessage(value: unknown): Message | null {
  if (!isRaw(value) || typeof value.seq !== 'number') return null
  const from = value.from === 'user' || value.from === 'system' ? value.from : 'account'
  const kind = text(value.kind)
  const body = Object.hasOwn(bodies, kind) ? bodies[kind]?.(value) : undefined
  const base = { seq: value.seq, at: toMillis(value.at) ?? Date.now(), from } as const
  return { ...base, ...(body ?? { kind: 'unknown', name: kind }) } as Message
}

export function parseMessages(value: unknown): Message[] {
  return (Array.isArray(value) ? value : []).map(parseMessage).filter((message) => message !== null)
}

function parseButton(raw: Raw): MenuButton {
  const children = objects(raw.sub_button).map(parseButton)
  return {
    name: text(raw.name),
    type: text(raw.type),
    key: text(raw.key),
    url: text(raw.url),
    ...(children.length > 0 ? { sub_button: children } : {}),
  }
}

/** The menu's buttons, at most three with at most five below each, as WeChat allows. */
export function parseMenu(value: unknown): MenuButton[] {
  if (!isRaw(value)) return []
  return objects(value.button)
    .slice(0, 3)
    .map((raw) => parseButton({ ...raw, sub_button: objects(raw.sub_button).slice(0, 5) }))
}

export function parseQrCodes(value: unknown): QrCode[] {
  return objects(value)
    .map((raw) => ({ scene: text(raw.scene), expired: raw.expired === true }))
    .filter((code) => code.scene)
}

export function parseSubscribeTemplates(value: unknown): SubscribeTemplate[] {
  return objects(isRaw(value) ? value.subscribe_templates : null).map((raw) => ({
    id: text(raw.template_id),
    title: text(raw.title),
    longTerm: raw.long_term === true,
  }))
}

export function parsePayment(value: unknown): Payment {
  const raw = isRaw(value) ? value : {}
  const { prepay_id, merchant, description, amount } = raw
  return { prepayId: text(prepay_id), merchant: text(merchant), description: text(description), amount: number(amount) }
}

/** The sandbox clock's time in epoch milliseconds, or null. */
export function parseClock(value: unknown): number | null {
  return isRaw(value) ? toMillis(value.now) : null
}

/** JSON indented and with its characters unescaped; anything else, such as XML, as it is. */
function readable(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'string' ? parsed : JSON.stringify(parsed, null, 2)
  } catch {
    return body
  }
}

export function parseJournal(value: unknown): JournalEntry[] {
  return objects(value).map((raw) => {
    const status = number(raw.status)
    const errcode = number(raw.errcode)
    return {
      id: number(raw.seq),
      at: toMillis(raw.at),
      direction: raw.direction === 'out' ? 'out' : 'in',
      title: `${text(raw.method)} ${text(raw.path)}`.trim(),
      ms: typeof raw.ms === 'number' ? raw.ms : null,
      status: errcode === 0 ? (status === 0 ? '没有回答' : String(status)) : `errcode ${errcode}`,
      ok: errcode === 0 && status >= 200 && status < 400,
      body: readable(text(raw.body)),
      answer: readable(text(raw.answer)),
    }
  })
}
