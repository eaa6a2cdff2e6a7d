/** What the API answers of the case library (miniprogram_api/console/teaching.py). */
export type LibraryState = 'asked' | 'declined' | 'queued' | 'draft' | 'published' | 'rejected' | 'withdrawn'

export interface LibraryItem {
  id: string
  number: string
  state: LibraryState
  state_name: string
  department_name: string
  title: string
  tags: string[]
  codes: string[]
  proposed_at: string
  published_at: string | null
}

export interface LibraryPage {
  items: LibraryItem[]
  next_cursor: string
}

export interface QuestionItem {
  stem: string
  options: string[]
  right: number
  explanation: string
  source: string
}

export interface TakenItem {
  section_name: string
  kind: string
  text: string
  replacement: string
  guessed: boolean
}

export interface LibraryCase extends LibraryItem {
  revision: number
  proposed_reason: string
  decision_reason: string
  diseases: string[]
  sections: { key: string; name: string; text: string }[]
  taken: TakenItem[]
  questions: QuestionItem[]
}

export interface PointsItem {
  name: string
  institution_name: string
  department_name: string
  answered: number
  right: number
  points: number
}

export const STATES = [
  { value: 'draft', label: '待审核' },
  { value: 'asked', label: '等患者同意' },
  { value: 'published', label: '已发布' },
  { value: 'withdrawn', label: '已撤回' },
  { value: 'rejected', label: '未采用' },
  { value: 'declined', label: '患者不同意' },
]

export const TAGS = [
  { value: 'rare', label: '少见' },
  { value: 'misdiagnosed', label: '曾误诊' },
  { value: 'emergency', label: '急诊' },
  { value: 'typical', label: '典型' },
]

export const LETTERS = ['A', 'B', 'C', 'D', 'E']
export const MOST_OPTIONS = LETTERS.length
export const MOST_QUESTIONS = 5

export function tagSaid(tag: string): string {
  return TAGS.find((one) => one.value === tag)?.label ?? tag
}

export function emptyQuestion(): QuestionItem {
  return { stem: '', options: ['', ''], right: 0, explanation: '', source: '' }
}

/** Codes as somebody types them, apart by blanks or commas. */
export function codesIn(text: string): string[] {
  return text.split(/[\s,，、;；]+/u).filter((one) => one !== '')
}
