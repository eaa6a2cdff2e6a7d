/** What the pay page knows; amounts in yuan as they are shown, times in epoch milliseconds. */
export type State = 'asking' | 'payable' | 'paid' | 'free' | 'over' | 'giving_back' | 'given_back'

export interface Part {
  label: string
  amount: string
}

export interface Charge {
  state: State
  total: string
  /** What the patient pays. */
  cash: string
  /** Who pays the rest. */
  parts: Part[]
  explained: string[]
  paid: string
  returned: string
  startsAt: number | null
  expiresAt: number | null
}

/** What WeChat's payment sheet is opened with. */
export type PayOrder = Record<'appId' | 'timeStamp' | 'nonceStr' | 'package' | 'signType' | 'paySign', string>
