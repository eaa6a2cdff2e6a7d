import { isRaw, text } from '../../shared/raw'
import { createSelfSaving } from '../../shared/selfsaving'
import type { Report, Texts } from './types'

export interface Saver {
  write(report: string, revision: number, texts: Texts, leaving?: boolean): Promise<Report>
  /** The draft as the server has it now; null where it is no draft any more. */
  latest(report: string): Promise<Report | null>
  /** The session is over. */
  lost(error: unknown): void
}

function textsOf({ examination, findings, impression }: Texts): Texts {
  return { examination, findings, impression }
}

/** The server keeps no blanks around a text, so two texts are the same without them. */
function isSame(one: Texts, other: Texts): boolean {
  return (['examination', 'findings', 'impression'] as const).every((field) => one[field].trim() === other[field].trim())
}

function parse(kept: unknown): Texts | null {
  return isRaw(kept) ? { examination: text(kept.examination), findings: text(kept.findings), impression: text(kept.impression) } : null
}

/** The draft of a report, which saves itself. */
export function createDraft(report: Report, saver: Saver) {
  const { content: texts, ...saving } = createSelfSaving<Texts, Report>(report, {
    id: report.id,
    contentOf: textsOf,
    isSame,
    parse,
    write: (revision, content, leaving) => saver.write(report.id, revision, content, leaving),
    latest: () => saver.latest(report.id),
    gone: '这份草稿已经签发或者丢掉了。您写的还在这里，请先复制下来，再重新打开页面。',
    lost: saver.lost,
  })
  return { ...saving, report, texts }
}

export type Draft = ReturnType<typeof createDraft>
