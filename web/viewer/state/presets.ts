import { asWindow } from './tables'
import type { NamedWindow, Picture, Window } from './types'

/** Windows as Chinese radiology departments name them; level and width in HU. */
const CT: NamedWindow[] = [
  { name: '肺窗', center: -600, width: 1500 },
  { name: '纵隔窗', center: 40, width: 350 },
  { name: '骨窗', center: 400, width: 1800 },
  { name: '脑窗', center: 35, width: 80 },
  { name: '软组织', center: 50, width: 400 },
  { name: '肝窗', center: 60, width: 160 },
]

const KNOWN_NAMES: Record<string, string> = {
  LUNG: '肺窗', MEDIASTINUM: '纵隔窗', BONE: '骨窗', BRAIN: '脑窗', ABDOMEN: '腹窗', SOFT: '软组织', NORMAL: '标准', HARDER: '较硬', SOFTER: '较软',
}

function headerName(window: NamedWindow, at: number, count: number): string {
  const known = KNOWN_NAMES[window.name.toUpperCase()] ?? (/[\u4e00-\u9fff]/.test(window.name) ? window.name : '')
  return `原设${count > 1 ? at + 1 : ''}${known ? `（${known}）` : ''}`
}

/** What the machine chose and, where values are HU, the usual windows. Colour has none. */
export function presetsFor(picture: Picture): NamedWindow[] {
  if (picture.samples !== 1) return []
  const tables = picture.voiTables.map((table) => ({ ...asWindow(table), name: table.name }))
  const own = [...tables, ...picture.windows].map((window, at, all) => ({ ...window, name: headerName(window, at, all.length) }))
  return picture.unit === 'HU' ? [...own, ...CT] : own
}

/** A preset as the window that it sets. */
export function asChosen({ name: _name, ...window }: NamedWindow): Window {
  return window
}
