import { isRaw, number, text } from '../../shared/raw'
import type { Texts } from './types'

/** What is not on the server yet: kept in the tab alone, and gone when it is saved or the tab is closed. */
export interface Unsaved {
  revision: number
  texts: Texts
}

const PREFIX = 'qiaoyi-unsaved-'

export function keepUnsaved(report: string, unsaved: Unsaved): void {
  try {
    sessionStorage.setItem(PREFIX + report, JSON.stringify(unsaved))
  } catch {
    // A browser that keeps nothing has the text on the page alone.
  }
}

export function readUnsaved(report: string): Unsaved | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + report) ?? 'null')
    if (!isRaw(kept) || !isRaw(kept.texts)) return null
    const { examination, findings, impression } = kept.texts
    return { revision: number(kept.revision), texts: { examination: text(examination), findings: text(findings), impression: text(impression) } }
  } catch {
    return null
  }
}

export function forgetUnsaved(report: string): void {
  try {
    sessionStorage.removeItem(PREFIX + report)
  } catch {
    // there was nothing to forget
  }
}
