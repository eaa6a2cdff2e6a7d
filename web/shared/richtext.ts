/** A run of text, or a link with its label. Rendered as text nodes and anchors, never as HTML. */
export type Segment = { kind: 'text'; text: string } | { kind: 'link'; text: string; url: string }

// WeChat renders <a href="…">…</a> in an account's text as a link and everything else literally; bare addresses are links too.
const LINK = /<a\s[^<>]*?href=(["'])(https?:\/\/[^"'<>\s]+)\1[^<>]*>([^<>]+)<\/a>|https?:\/\/[^\s<>"'，。；！？、（）【】《》“”]+/giu
const TRAILING = /[.,;:!?)\]]+$/u

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

/** Splits text into plain runs and links. Joining `text` of all segments gives what a person reads. */
export function toSegments(text: string): Segment[] {
  const segments: Segment[] = []
  let done = 0
  for (const match of text.matchAll(LINK)) {
    const label = match[3]
    const raw = match[2] ?? match[0].replace(TRAILING, '')
    const url = safeUrl(raw)
    if (!url) continue
    if (match.index > done) segments.push({ kind: 'text', text: text.slice(done, match.index) })
    segments.push({ kind: 'link', text: label ?? raw, url })
    done = match.index + (label === undefined ? raw.length : match[0].length)
  }
  if (done < text.length) segments.push({ kind: 'text', text: text.slice(done) })
  return segments
}
