import { isRaw, number, text } from '../../shared/raw'

/** One call of a page to the bridge that WeChat puts into it; `answer` tells the page what became of it, once. */
export interface BridgeCall {
  name: string
  fields: Record<string, string>
  answer: (said: 'ok' | 'cancel' | 'fail') => void
}

/** WeChat's answers name the call in small letters: get_brand_wcpay_request:ok. */
const NAMES: Record<string, string> = { getBrandWCPayRequest: 'get_brand_wcpay_request' }

/** Reads what a frame posts; null for anything but a call of its page to the bridge. */
export function callOf(event: MessageEvent<unknown>, frame: Window | null | undefined): BridgeCall | null {
  const raw = event.data
  if (!frame || event.source !== frame || !isRaw(raw)) return null
  const name = text(raw.weixin)
  if (!name) return null
  const id = number(raw.id)
  const fields = isRaw(raw.fields) ? Object.entries(raw.fields).map(([key, value]) => [key, text(value)]) : []
  return {
    name,
    fields: Object.fromEntries(fields),
    // To the page that asked: the frame may show another one by now.
    answer: (said) => frame.postMessage({ id, answer: { err_msg: `${NAMES[name] ?? name}:${said}` } }, event.origin),
  }
}
