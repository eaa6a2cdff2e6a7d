import { call, callJson } from '../../shared/http'
import { isRaw, text } from '../../shared/raw'
import { parseCases, parseResult, parseTraits, parseWaiting } from './parse'
import type { Case, Result, Trait, Waiting } from './types'

const UPLOADS = '/imaging/uploads'
const QUARANTINE = '/api/v1/imaging/quarantine'
export const TUS = { 'Tus-Resumable': '1.0.0' }

export interface NewUpload {
  batch: string
  fingerprint: string
  name: string
  size: number
}

function base64(value: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(value)))
}

/** The server, as the person who holds `token`. Every method raises ApiError. */
export class StudiesClient {
  constructor(readonly consultation: string, readonly token: string) {}

  get authorization(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` }
  }

  private ask(path: string): Promise<unknown> {
    return callJson(path, { headers: this.authorization })
  }

  private post(path: string, body: unknown): Promise<unknown> {
    const headers = { ...this.authorization, 'Content-Type': 'application/json' }
    return callJson(path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  /** The patient's name. */
  async patient(): Promise<string> {
    const answer = await this.ask(`/api/v1/consultations/${this.consultation}`)
    return isRaw(answer) ? text(answer.patient) : ''
  }

  /** Where to send an upload, and how much of it is there already. */
  async begin(upload: NewUpload, signal: AbortSignal): Promise<{ url: string; offset: number }> {
    const said = { consultation: this.consultation, batch: upload.batch, fingerprint: upload.fingerprint, name: upload.name }
    const metadata = Object.entries(said).map(([key, value]) => `${key} ${base64(value)}`).join(',')
    const headers = { ...this.authorization, ...TUS, 'Upload-Length': String(upload.size), 'Upload-Metadata': metadata }
    const answer = await call(UPLOADS, { method: 'POST', headers, signal })
    return { url: answer.headers.get('Location') ?? '', offset: Number(answer.headers.get('Upload-Offset')) }
  }

  async drop(url: string): Promise<void> {
    await call(url, { method: 'DELETE', headers: { ...this.authorization, ...TUS } })
  }

  /** What became of what was chosen: of a batch, or of the last one. */
  async result(batch = ''): Promise<Result> {
    return parseResult(await this.ask(`/api/v1/consultations/${this.consultation}/uploads${batch && `?batch=${batch}`}`))
  }

  async waiting(): Promise<Waiting[]> {
    return parseWaiting(await this.ask(QUARANTINE))
  }

  async cases(): Promise<Case[]> {
    return parseCases(await this.ask('/api/v1/imaging/cases'))
  }

  async differences(study: string, consultation: string): Promise<Trait[]> {
    return parseTraits(await this.ask(`${QUARANTINE}/${study}/differences/${consultation}`))
  }

  async assign(study: string, consultation: string, reason: string): Promise<void> {
    await this.post(`${QUARANTINE}/${study}/assignment`, { consultation_id: consultation, reason })
  }

  async reject(study: string, reason: string): Promise<void> {
    await this.post(`${QUARANTINE}/${study}/rejection`, { reason })
  }
}
