import { callJson, postJson } from './http'
import { keepState, takeState } from './loginstate'
import { isRaw, text } from './raw'

/**
 * Who opens a page, asked of WeChat ("Who may enter", docs/video-rooms.md): the page goes to WeChat's address and comes
 * back with a code. The bearer token is kept for a reload, under a number that stands after `#`: several pages in one
 * tab share a storage and are told apart by it.
 */
const PREFIX = 'qiaoyi-session-'

function keyInAddress(): string | null {
  return /^#\d{6,}$/.test(location.hash) ? PREFIX + location.hash.slice(1) : null
}

/** The token that this page kept; empty where it kept none, or may not keep anything. */
export function keptToken(): string {
  const key = keyInAddress()
  try {
    return (key && sessionStorage.getItem(key)) || ''
  } catch {
    return ''
  }
}

function keep(token: string): void {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  const number = `${first}${second}`.padStart(6, '0')
  try {
    sessionStorage.setItem(PREFIX + number, token)
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
  history.replaceState(null, '', `${location.pathname}#${number}`)
}

/** The token of whoever opens this page, or null while the page leaves for WeChat to find out. Raises ApiError. */
export async function whoOpens(): Promise<string | null> {
  const kept = keptToken()
  if (kept) return kept
  const query = new URLSearchParams(location.search)
  const [code, state] = [query.get('code'), query.get('state') ?? '']
  if (!code || !takeState(state)) {
    await askWeChat()
    return null
  }
  const body = { code, state, path: location.pathname }
  const answer: unknown = await postJson('/api/v1/web-session', body)
  const token = isRaw(answer) ? text(answer.token) : ''
  keep(token)
  return token
}

/** Leaves for WeChat's page. Raises ApiError. */
export async function askWeChat(): Promise<void> {
  const answer: unknown = await callJson(`/api/v1/web-login?path=${encodeURIComponent(location.pathname)}`)
  const url = isRaw(answer) ? text(answer.url) : ''
  if (isRaw(answer)) keepState(text(answer.state))
  if (/^https?:\/\//.test(url)) location.replace(url)
}
