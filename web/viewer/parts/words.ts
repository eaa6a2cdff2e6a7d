import { WITHOUT_PICTURES } from '../state/parse'
import type { TeachingStudy } from '../state/teaching'
import type { Plane, Series, Study } from '../state/types'

/** What a person reads of a header. */
const MODALITIES: Record<string, string> = {
  CT: 'CT', MR: '磁共振', US: '超声', CR: 'X 光', DX: 'X 光', RF: '透视', MG: '乳腺 X 光', XA: '血管造影', PT: 'PET', NM: '核医学', ES: '内镜', XC: '照片',
}

export const PLANES: Record<Plane, string> = { axial: '横断面', coronal: '冠状面', sagittal: '矢状面' }

export function modalityName(modality: string): string {
  return MODALITIES[modality] ?? (modality || '图像')
}

/** 2026年11月21日 from 20261121; what is no date stays as it is. */
export function headerDate(date: string): string {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date) ?? []
  return year ? `${year}年${Number(month)}月${Number(day)}日` : date
}

export function studyName(study: Study): string {
  return [headerDate(study.date), study.description].filter(Boolean).join(' ')
}

export function seriesName(series: Series): string {
  return series.description || `${modalityName(series.modality)} 第 ${series.number} 组`
}

export function teachingName(study: TeachingStudy): string {
  const kinds = study.modalities.filter((one) => !WITHOUT_PICTURES.includes(one)).map(modalityName).join('、')
  return [headerDate(study.date), study.description || kinds].filter(Boolean).join(' ') || '检查'
}
