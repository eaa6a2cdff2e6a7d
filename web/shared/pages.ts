import { keptAddress } from './kept'

/** Under which a page keeps its bearer token, and where it is. */
export interface CardPage {
  prefix: string
  folder: string
}

export const VIEWER: CardPage = { prefix: 'qiaoyi-viewer-', folder: '/h5/viewer/' }
export const REPORTS: CardPage = { prefix: 'qiaoyi-reports-', folder: '/h5/reports/' }
export const PRESCRIPTIONS: CardPage = { prefix: 'qiaoyi-prescriptions-', folder: '/h5/prescriptions/' }
export const HISTORY: CardPage = { prefix: 'qiaoyi-history-', folder: '/h5/history/' }
export const PAY: CardPage = { prefix: 'qiaoyi-pay-', folder: '/h5/pay/' }
export const STUDIES: CardPage = { prefix: 'qiaoyi-studies-', folder: '/h5/studies/' }

/**
 * Goes to a page of a consultation as the person who holds `token`; beside this one where there is room for two, because a
 * new window that a page opens begins with a copy of what its tab keeps.
 */
export function goTo(page: CardPage, consultation: string, token: string, beside = false): void {
  const address = keptAddress(page.prefix, token, page.folder + encodeURIComponent(consultation))
  if (beside) window.open(address, '_blank')
  else location.assign(address)
}
