import { ApiError, callJson } from '../../shared/http'
import { isRaw, text } from '../../shared/raw'
import { daysOf, doseOf } from './lines'
import { parseAddress, parseDraft, parseNamedList, parsePreparations, parsePrescription, parseProposal, parseTemplates } from './parse'
import type { Content, DraftPrescription, Finding, Named, Preparation, Prescription, Proposal, Template } from './types'

/** A prescription as whoever asks may see it: to write, to read, or neither, while nothing was signed. */
export interface Shown {
  draft: DraftPrescription | null
  prescription: Prescription | null
}

/** One prescription on the server, and what it is written of (docs/miniprogram-api.md). Every method raises ApiError. */
export class PrescriptionClient {
  constructor(readonly prescription: string, readonly token: string) {}

  async read(): Promise<Shown> {
    const answer = await this.ask('GET', this.one())
    return { draft: parseDraft(answer), prescription: parsePrescription(answer) }
  }

  /** Where the prescription lies as a printed page (PDF) for a while, for a browser that cannot say who asks. */
  async paper(): Promise<string> {
    return parseAddress(await this.ask('POST', this.one('/pdf/link')))
  }

  async write(revision: number, { lines, diagnoses, chronic, inPerson }: Content, leaving = false): Promise<DraftPrescription> {
    const body = {
      revision,
      lines: lines.map((line) => ({
        preparation: line.preparation.code, dose: doseOf(line), frequency: line.frequency, route: line.route, days: daysOf(line), note: line.note.trim(),
      })),
      diagnoses: diagnoses.map(({ code }) => code),
      chronic,
      in_person: inPerson,
    }
    return this.asDraft(await this.ask('PUT', this.one(), body, leaving))
  }

  async override(revision: number, { rule, subject }: Finding, reason: string): Promise<DraftPrescription> {
    return this.asDraft(await this.ask('POST', this.one('/overrides'), { revision, rule, subject, reason }))
  }

  async copyLast(): Promise<DraftPrescription> {
    return this.asDraft(await this.ask('POST', this.one('/copy')))
  }

  async useTemplate(template: string): Promise<DraftPrescription> {
    return this.asDraft(await this.ask('POST', this.one('/use-template'), { template_id: template }))
  }

  async keepTemplate(name: string): Promise<void> {
    await this.ask('POST', this.one('/template'), { name })
  }

  async sign(revision: number): Promise<void> {
    await this.ask('POST', this.one('/signature'), { revision })
  }

  async discard(): Promise<void> {
    await this.ask('DELETE', this.one())
  }

  async proposal(preparation: Preparation): Promise<Proposal> {
    const address = this.one(`/proposal?preparation=${encodeURIComponent(preparation.code)}`)
    return parseProposal(await this.ask('GET', address), preparation)
  }

  async medicines(words: string): Promise<Preparation[]> {
    return parsePreparations(await this.ask('GET', `/api/v1/medicines?q=${encodeURIComponent(words)}`))
  }

  async diagnoses(words: string): Promise<Named[]> {
    return parseNamedList(await this.ask('GET', `/api/v1/diagnoses?q=${encodeURIComponent(words)}`))
  }

  async frequencies(): Promise<Named[]> {
    return parseNamedList(await this.ask('GET', '/api/v1/medicine-frequencies'))
  }

  async templates(): Promise<Template[]> {
    return parseTemplates(await this.ask('GET', '/api/v1/prescription-templates'))
  }

  /** Whom the consultation is about. */
  async patient(consultation: string): Promise<string> {
    const answer = await this.ask('GET', `/api/v1/consultations/${encodeURIComponent(consultation)}`)
    return isRaw(answer) ? text(answer.patient) : ''
  }

  private asDraft(answer: unknown): DraftPrescription {
    const draft = parseDraft(answer)
    if (!draft) throw new ApiError('illegal_move', '这张处方不能再改了，请重新打开。', 409)
    return draft
  }

  private ask(method: string, path: string, body?: unknown, keepalive = false): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` }
    if (body === undefined) return callJson(path, { method, headers })
    headers['Content-Type'] = 'application/json'
    return callJson(path, { method, headers, body: JSON.stringify(body), keepalive })
  }

  private one(part = ''): string {
    return `/api/v1/prescriptions/${encodeURIComponent(this.prescription)}${part}`
  }
}
