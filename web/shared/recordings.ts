import { keep } from './kept'

/** Under which the recordings page keeps the bearer token. */
export const RECORDINGS = 'qiaoyi-recordings-'

/** Goes to the recordings of a consultation as the person who holds `token`. */
export function goToRecordings(consultation: string, token: string): void {
  keep(RECORDINGS, token, `/h5/recordings/${encodeURIComponent(consultation)}`)
  location.reload()
}
