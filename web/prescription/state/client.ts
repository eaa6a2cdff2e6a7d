import { callJson } from '../../shared/http'
import { parseAddress, parsePrescription } from './parse'
import type { Prescription } from './types'

/** One prescription on the server (docs/miniprogram-api.md). Every method raises ApiError. */
export class PrescriptionClient {
  constructor(readonly prescription: string, readonly token: string) {}

  /** Null where nothing was signed yet. */
  async read(): Promise<Prescription | null> {
    return parsePrescription(await this.ask('GET', ''))
  }

  /** Where the prescription lies as a printed page (PDF) for a while, for a browser that cannot say who asks. */
  async paper(): Promise<string> {
    return parseAddress(await this.ask('POST', '/pdf/link'))
  }

  private ask(method: string, part: string): Promise<unknown> {
    const path = `/api/v1/prescriptions/${encodeURIComponent(this.prescription)}${part}`
    return callJson(path, { method, headers: { Authorization: `Bearer ${this.token}` } })
  }
}
