/** What the sandbox says of a phone (`GET /api/phones`). */
export interface PhoneInfo {
  openid: string
  nickname: string
  following: boolean
  unread: number
  /** The number of its last message; 0 where there is none. */
  lastSeq: number
  roleHint: string
  last: Message | null
  /** How many notifications of a subscribe template may still come (template id → count). */
  consents: Record<string, number>
}

export interface SubscribeTemplate {
  id: string
  title: string
  longTerm: boolean
}

export interface MenuItem {
  id: string
  text: string
}

export interface Field {
  key: string
  label: string
  value: string
}

export interface Article {
  title: string
  description: string
  url: string | null
  picture: string | null
}

interface Card {
  title: string
  fields: Field[]
  url: string | null
}

interface Base {
  seq: number
  /** Epoch milliseconds on the sandbox clock. */
  at: number
  from: 'account' | 'user' | 'system'
}

export type Message = Base &
  (
    | { kind: 'text'; text: string }
    | { kind: 'menu'; text: string; items: MenuItem[]; tail: string }
    | { kind: 'news'; articles: Article[] }
    | { kind: 'image'; url: string | null }
    | { kind: 'voice'; text: string; url: string | null }
    | ({ kind: 'template' } & Card)
    | ({ kind: 'subscribe' } & Card)
    | { kind: 'miniprogrampage'; title: string; picture: string | null; url: string | null }
    | { kind: 'location'; lat: number; lon: number; label: string }
    | { kind: 'notice'; text: string }
    | { kind: 'unknown'; name: string }
  )

export type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>

/** A button of the account's menu, in WeChat's own shape. */
export interface MenuButton {
  name: string
  type?: string
  key?: string
  url?: string
  sub_button?: MenuButton[]
}

export interface QrCode {
  scene: string
  expired: boolean
}

/** What the payment sheet shows; the amount is in fen. */
export interface Payment {
  prepayId: string
  merchant: string
  description: string
  amount: number
}

export interface JournalEntry {
  id: number
  /** Epoch milliseconds on the sandbox clock. */
  at: number | null
  /** in: the product called WeChat; out: WeChat called the product. */
  direction: 'in' | 'out'
  title: string
  ms: number | null
  status: string
  ok: boolean
  body: string
  answer: string
}
