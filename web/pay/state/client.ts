import { callJson } from '../../shared/http'
import { parseCharge, parseOrder } from './parse'
import type { Charge, PayOrder } from './types'

/** One charge on the server (docs/miniprogram-api.md). Every method raises ApiError. */
export class PayClient {
  constructor(readonly charge: string, readonly token: string) {}

  async read(): Promise<Charge | null> {
    return parseCharge(await this.ask('GET', ''))
  }

  async prepay(): Promise<PayOrder | null> {
    return parseOrder(await this.ask('POST', '/prepay'))
  }

  /** What became of it, as the server is told by WeChat Pay. */
  async result(): Promise<Charge | null> {
    return parseCharge(await this.ask('GET', '/result'))
  }

  private ask(method: string, part: string): Promise<unknown> {
    const path = `/api/v1/pay/${encodeURIComponent(this.charge)}${part}`
    return callJson(path, { method, headers: { Authorization: `Bearer ${this.token}` } })
  }
}
