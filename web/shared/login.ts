import { ApiError, callJson, postJson } from './http'
import { keep, readKept } from './kept'
import { isRaw, text } from './raw'

/**
 * Who opens a page, asked of WeChat ("Who may enter", docs/video-rooms.md): the page leaves for WeChat's address and comes
 * back with a code, which is good for a bearer token.
 */
const STATE_PREFIX = 'qiaoyi-login-'

/** Remembers with which `state` this tab went to WeChat's page. */
function keepState(state: string): void {
  try {
    sessionStorage.setItem(STATE_PREFIX + state, 'asked')
  } catch {
    // see takeState
  }
}

/**
 * Whether this tab asked WeChat with `state`, once: an address that somebody else made leads nobody in under their name.
 * A browser that keeps nothing cannot tell, and is believed; the server still wants a `state` of its own making.
 */
function takeState(state: string): boolean {
  try {
    const asked = sessionStorage.getItem(STATE_PREFIX + state) !== null
    sessionStorage.removeItem(STATE_PREFIX + state)
    return asked
  } catch {
    return true
  }
}

/** Leaves for WeChat's page, which comes back to this one. Raises ApiError, also where there is no such page. */
export async function leaveForWeChat(): Promise<void> {
  const answer: unknown = await callJson(`/api/v1/web-login?path=${encodeURIComponent(location.pathname)}`)
  const raw = isRaw(answer) ? answer : {}
  const url = text(raw.url)
  if (!/^https?:\/\//.test(url)) throw new ApiError('login', '没有认出您是谁，请回到微信里重新打开。', 400)
  keepState(text(raw.state))
  location.replace(url)
}

export interface Back {
  code: string
  state: string
}

/** What the address holds where WeChat sent back who left from this tab; taken once. */
export function cameBack(): Back | null {
  const query = new URLSearchParams(location.search)
  const [code, state] = [query.get('code'), query.get('state') ?? '']
  return code && takeState(state) ? { code, state } : null
}

/** The bearer token of whoever came back with this code. Raises ApiError. */
export async function openSession(back: Back): Promise<string> {
  const answer: unknown = await postJson('/api/v1/web-session', { ...back, path: location.pathname })
  return isRaw(answer) ? text(answer.token) : ''
}

/** The bearer token that this tab keeps under `prefix`; '' where the page leaves to get one. Raises ApiError. */
export async function tokenOfTab(prefix: string): Promise<string> {
  const kept = text(readKept(prefix))
  if (kept) return kept
  const back = cameBack()
  if (!back) {
    await leaveForWeChat()
    return ''
  }
  const token = await openSession(back)
  keep(prefix, token, location.pathname)
  return token
}
