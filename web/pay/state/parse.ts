import { toMillis } from '../../shared/chinatime'
import { isRaw, objects, text } from '../../shared/raw'
import type { Charge, PayOrder, State } from './types'

/** The boundary: turns what the server answered into our own types. */
const STATES: State[] = ['asking', 'payable', 'paid', 'free', 'over', 'giving_back', 'given_back']
const FIELDS = ['appId', 'timeStamp', 'nonceStr', 'package', 'signType', 'paySign'] as const

/** Null where it is none that can be shown: nobody pays what they cannot read. */
export function parseCharge(value: unknown): Charge | null {
  const raw = isRaw(value) ? value : {}
  const state = STATES.find((one) => one === raw.state)
  if (!state || !/^\d+\.\d\d$/.test(text(raw.cash))) return null
  return {
    state,
    total: text(raw.total),
    cash: text(raw.cash),
    parts: objects(raw.parts).map((one) => ({ label: text(one.label), amount: text(one.amount) })),
    explained: Array.isArray(raw.explained) ? raw.explained.map(text).filter(Boolean) : [],
    paid: text(raw.paid),
    returned: text(raw.returned),
    startsAt: toMillis(raw.starts_at),
    expiresAt: toMillis(raw.expires_at),
  }
}

/** Null where a part of it is missing: WeChat would refuse it. */
export function parseOrder(value: unknown): PayOrder | null {
  const raw = isRaw(value) ? value : {}
  const order = Object.fromEntries(FIELDS.map((name) => [name, text(raw[name])])) as PayOrder
  return FIELDS.every((name) => order[name]) ? order : null
}
