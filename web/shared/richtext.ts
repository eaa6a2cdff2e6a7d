/**
 * A run of text, a link, or a tappable sentence (a tap sends its content in the reader's name) with its label.
 * Rendered as text nodes, anchors and buttons, never as HTML.
 */
export type Segment =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; url: string }
  | { kind: 'item'; text: string; id: string }

// WeChat renders <a href="…">…</a> in an account's text and everything else literally; bare addresses are links too.
const ANCHOR = /<a\s[^<>]*?href=(["'])([^"'<>]+)\1[^<>]*>([^<>]+)<\/a>/giu
const BARE = /https?:\/\/[^\s<>"'，。；！？、（）【】《》“”]+/giu
const TRAILING = /[.,;:!?)\]]+$/u
const MESSAGE_MENU = 'weixin://bizmsgmenu?'
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&amp;': '&' }

function decode(text: string): string {
  return text.replace(/&(?:lt|gt|quot|amp|#39|#x27);/giu, (entity) => ENTITIES[entity.toLowerCase()] ?? entity)
}

/** The address if it may be opened (http or https), else null: `javascript:` and the like never become links. */
export function safeUrl(url: string | undefined | null, base?: string): string | null {
  if (!url) return null
  try {
    const parsed = new URL(url, base)
    return parsed.protocol === 'http:' || parsed.protocol === 'https:' ? parsed.href : null
  } catch {
    return null
  }
}

function itemId(href: string): string | null {
  if (!href.startsWith(MESSAGE_MENU)) return null
  return new URLSearchParams(href.slice(MESSAGE_MENU.length)).get('msgmenuid')
}

/** What an anchor becomes; null for one that leads nowhere allowed, which is then shown as it was written. */
function fromAnchor(href: string, label: string): Segment | null {
  const id = itemId(decode(href))
  if (id !== null) return { kind: 'item', text: decode(label), id }
  const url = safeUrl(decode(href))
  return url ? { kind: 'link', text: decode(label), url } : null
}

function* bareLinks(text: string): Generator<Segment> {
  let done = 0
  for (const match of text.matchAll(BARE)) {
    const raw = match[0].replace(TRAILING, '')
    const url = safeUrl(raw)
    if (!url) continue
    if (match.index > done) yield { kind: 'text', text: text.slice(done, match.index) }
    yield { kind: 'link', text: raw, url }
    done = match.index + raw.length
  }
  if (done < text.length) yield { kind: 'text', text: text.slice(done) }
}

/** Splits text into runs, links and tappable sentences. Joining `text` of all segments gives what a person reads. */
export function toSegments(text: string): Segment[] {
  const segments: Segment[] = []
  let done = 0
  for (const match of text.matchAll(ANCHOR)) {
    const segment = fromAnchor(match[2] ?? '', match[3] ?? '')
    if (!segment) continue
    segments.push(...bareLinks(text.slice(done, match.index)), segment)
    done = match.index + match[0].length
  }
  segments.push(...bareLinks(text.slice(done)))
  return segments
}
