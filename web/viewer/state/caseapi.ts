import { call, callJson } from '../../shared/http'

/** What belongs to the consultation beside its studies, over the product's own API. Every method raises ApiError. */
export class CaseApi {
  constructor(private readonly consultation: string, private readonly token: string) {}

  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const said = body === undefined ? {} : { body: JSON.stringify(body) }
    return callJson(this.address(path), { method, headers: { ...this.headers(), 'Content-Type': 'application/json' }, ...said })
  }

  async blob(path: string): Promise<Blob> {
    return (await call(this.address(path), { headers: this.headers() })).blob()
  }

  private address(path: string): string {
    return `/api/v1/consultations/${this.consultation}${path}`
  }

  private headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` }
  }
}
