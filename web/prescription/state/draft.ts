import { computed } from 'vue'
import { createSelfSaving } from '../../shared/selfsaving'
import type { PrescriptionClient } from './client'
import { isSameLine, missingOf } from './lines'
import { parseKept } from './parse'
import type { Content, DraftPrescription, Finding, Said } from './types'

/** What a draft can hold: five medicines (处方管理办法 第6条), five diagnoses. */
export const MOST_LINES = 5
export const MOST_DIAGNOSES = 5

export function contentOf({ lines, diagnoses, chronic, inPerson }: Content): Content {
  return { lines: lines.map((line) => ({ ...line })), diagnoses: [...diagnoses], chronic, inPerson }
}

export function isSame(one: Content, other: Content): boolean {
  return (
    one.chronic === other.chronic &&
    one.inPerson === other.inPerson &&
    one.diagnoses.map(({ code }) => code).join() === other.diagnoses.map(({ code }) => code).join() &&
    one.lines.length === other.lines.length &&
    one.lines.every((line, place) => isSameLine(line, other.lines[place] as typeof line))
  )
}

/** The first thing that is missing; '' where it can be saved. */
export function missing({ lines }: Content): string {
  return lines.map(missingOf).find(Boolean) ?? ''
}

/** A draft that saves itself, with what the checks found of what is saved. */
export function createDraft(draft: DraftPrescription, client: PrescriptionClient, lost: (error: unknown) => void) {
  const saving = createSelfSaving<Content, DraftPrescription>(draft, {
    id: draft.id,
    contentOf,
    isSame,
    parse: parseKept,
    missing,
    write: (revision, content, leaving) => client.write(revision, content, leaving),
    latest: async () => (await client.read()).draft,
    gone: '这张处方已经签名或者丢掉了。您写的还在这里，请先抄下来，再重新打开页面。',
    lost,
  })
  const { answer } = saving
  const keys = computed(() => answer.value.to.lines.map(({ key }) => key))
  const findings = computed(() => answer.value.saved.findings)
  const stops = computed(() => findings.value.filter(({ severity }) => severity === 'stop'))
  const unanswered = computed(() => findings.value.filter(({ severity, reason }) => severity === 'warning' && !reason))
  return {
    ...saving,
    stops,
    unanswered,
    findings,
    /** What was found of one line alone. */
    ofLine: (key: number): Finding[] => findings.value.filter(({ lines }) => lines.length === 1 && keys.value[lines[0] ?? -1] === key),
    /** What was found of the whole, or of several lines together. */
    ofWhole: computed(() => findings.value.filter(({ lines }) => lines.length !== 1)),
    /** The line in words, as it was saved last. */
    saidOf: (key: number): Said | null => answer.value.saved.said[keys.value.indexOf(key)] ?? null,
  }
}

export type Draft = ReturnType<typeof createDraft>
