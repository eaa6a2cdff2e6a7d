import { keep } from './kept'

/** Under which the page for bringing images keeps the bearer token. */
export const STUDIES = 'qiaoyi-studies-'

/** Goes to the page for bringing images to a consultation as the person who holds `token`. */
export function goToStudies(consultation: string, token: string): void {
  keep(STUDIES, token, `/h5/studies/${encodeURIComponent(consultation)}`)
  location.reload()
}
