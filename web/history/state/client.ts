import { callJson } from '../../shared/http'
import { parseHistory } from './parse'
import type { History } from './types'

/** What is known of a consultation's patient (docs/miniprogram-api.md). Every method raises ApiError. */
export class HistoryClient {
  private readonly path: string

  constructor(consultation: string, private readonly token: string) {
    this.path = `/api/v1/consultations/${encodeURIComponent(consultation)}/history`
  }

  async read(): Promise<History> {
    return parseHistory(await this.ask('GET', this.path))
  }

  /** Asks the hospitals again. */
  async refresh(): Promise<History> {
    return parseHistory(await this.ask('POST', `${this.path}/refresh`))
  }

  /** Writes down the patient's identity number, by which the hospitals are asked. */
  async identify(number: string): Promise<History> {
    return parseHistory(await this.ask('POST', `${this.path}/identity`, { number }))
  }

  private ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` }
    if (body === undefined) return callJson(path, { method, headers })
    headers['Content-Type'] = 'application/json'
    return callJson(path, { method, headers, body: JSON.stringify(body) })
  }
}
