import { callJson } from '../../shared/http'
import { parseAddress, parseCritical, parseDesk, parseReport, parseSlips, parseTeaching } from './parse'
import type { Critical, Desk, Report, Slip, Teaching, Texts } from './types'

/** The reports of a consultation on the server (docs/miniprogram-api.md). Every method raises ApiError. */
export class ReportClient {
  constructor(readonly consultation: string, readonly token: string) {}

  async desk(): Promise<Desk> {
    return parseDesk(await this.ask('GET', this.ofCase('/reports')))
  }

  async draft(studyUid: string): Promise<Report> {
    return parseReport(await this.ask('POST', this.ofCase('/reports'), { study_uid: studyUid }))
  }

  async write(report: string, revision: number, texts: Partial<Texts>, leaving = false): Promise<Report> {
    return parseReport(await this.ask('PUT', one(report), { revision, ...texts }, leaving))
  }

  async slips(report: string): Promise<Slip[]> {
    return parseSlips(await this.ask('GET', one(report, '/slips')))
  }

  async sign(report: string, revision: number, confirmed: string[]): Promise<Report> {
    return parseReport(await this.ask('POST', one(report, '/signature'), { revision, confirmed }))
  }

  async amend(report: string, reason: string): Promise<Report> {
    return parseReport(await this.ask('POST', one(report, '/amendment'), { reason }))
  }

  async discard(report: string): Promise<void> {
    await this.ask('DELETE', one(report))
  }

  async markCritical(studyUid: string, text: string): Promise<Critical> {
    return parseCritical(await this.ask('POST', this.ofCase('/critical-values'), { study_uid: studyUid, text }))
  }

  async confirmCritical(critical: string): Promise<Critical> {
    return parseCritical(await this.ask('POST', `/api/v1/critical-values/${encodeURIComponent(critical)}/confirmation`))
  }

  /** Where the report lies as a printed page (PDF) for a while, for a browser that cannot say who asks. */
  async paper(report: string): Promise<string> {
    return parseAddress(await this.ask('POST', one(report, '/pdf/link')))
  }

  async teaching(): Promise<Teaching> {
    return parseTeaching(await this.ask('GET', this.ofCase('/teaching-case')))
  }

  async propose(): Promise<Teaching> {
    return parseTeaching(await this.ask('POST', this.ofCase('/teaching-case')))
  }

  private ask(method: string, path: string, body?: unknown, keepalive = false): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` }
    if (body === undefined) return callJson(path, { method, headers })
    headers['Content-Type'] = 'application/json'
    return callJson(path, { method, headers, body: JSON.stringify(body), keepalive })
  }

  private ofCase(part: string): string {
    return `/api/v1/consultations/${encodeURIComponent(this.consultation)}${part}`
  }
}

function one(report: string, part = ''): string {
  return `/api/v1/reports/${encodeURIComponent(report)}${part}`
}
