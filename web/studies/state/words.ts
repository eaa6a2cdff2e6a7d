import type { Refused, Result, StudyPart } from './types'

const KINDS: Record<string, string> = { CT: 'CT', MR: '磁共振', US: '超声', CR: 'X光片', DX: 'X光片', MG: '乳腺X光片', XA: '造影', PT: 'PET', ES: '内镜', OT: '图像', SC: '图像' }

/** 1.2 GB, 530 MB, 12 kB. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`
}

export function kindText(modalities: string[]): string {
  const kinds = [...new Set(modalities.map((one) => KINDS[one] ?? one))]
  return kinds.join('、') || '检查'
}

/** 20261121 as 2026年11月21日. */
export function dateText(date: string): string {
  const parts = /^(\d{4})(\d\d)(\d\d)$/.exec(date)
  return parts ? `${parts[1]}年${Number(parts[2])}月${Number(parts[3])}日` : ''
}

export function sexText(sex: string): string {
  return { M: '男', F: '女', male: '男', female: '女' }[sex] ?? ''
}

function sum(parts: StudyPart[]): number {
  return parts.reduce((total, part) => total + part.instances, 0)
}

/** What became of what was chosen, a line for each thing there is to say. */
export function lines(result: Result, patient: string): { text: string; mood: 'good' | 'ask' | 'plain' }[] {
  const here = result.studies.filter((part) => part.here && part.state === 'linked')
  const elsewhere = result.studies.filter((part) => !part.here && part.state === 'linked')
  const rejected = result.studies.filter((part) => part.state === 'rejected')
  const said: { text: string; mood: 'good' | 'ask' | 'plain' }[] = []
  if (here.length) said.push({ text: `已收到 ${sum(here)} 张，属于 ${patient} 的 ${kindText(here.flatMap((part) => part.modalities))}。`, mood: 'good' })
  for (const part of result.studies.filter((one) => one.state === 'quarantined')) {
    said.push({ text: `有 ${part.instances} 张${kindText(part.modalities)}要您确认是谁的：${part.words}。`, mood: 'ask' })
  }
  if (elsewhere.length) said.push({ text: `有 ${sum(elsewhere)} 张已经属于另一次会诊，没有改动。`, mood: 'plain' })
  if (rejected.length) said.push({ text: `有 ${sum(rejected)} 张，以前有医生说过不属于任何会诊，没有改动。`, mood: 'plain' })
  if (!result.stored && !result.refused && !result.waiting && !result.receiving) {
    said.push({ text: '没有找到检查图像。请选光盘或U盘里的整个文件夹，不要只选看图软件。', mood: 'plain' })
  } else if (result.skipped) {
    said.push({ text: `另有 ${result.skipped} 个文件不是检查图像，跳过了。`, mood: 'plain' })
  }
  return said
}

/** Files that were not taken, those with the same reason together. */
export function byReason(files: Refused[]): { words: string; names: string[] }[] {
  const found = new Map<string, string[]>()
  for (const { name, words } of files) found.set(words, [...(found.get(words) ?? []), name])
  return [...found].map(([words, names]) => ({ words, names }))
}
