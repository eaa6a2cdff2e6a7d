import { isRaw, objects, type Raw } from '../../shared/raw'

/** Reading the DICOM JSON model (PS3.18 F): nothing here trusts a shape, nothing throws. */
export function valuesAt(dataset: Raw, tag: string): unknown[] {
  const element = dataset[tag]
  return isRaw(element) && Array.isArray(element.Value) ? element.Value : []
}

export function itemsAt(dataset: Raw, tag: string): Raw[] {
  return objects(valuesAt(dataset, tag))
}

export function textsAt(dataset: Raw, tag: string): string[] {
  return valuesAt(dataset, tag).map((value) => (typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''))
}

export function textAt(dataset: Raw, tag: string): string {
  return textsAt(dataset, tag)[0] ?? ''
}

/** The numbers of an element; numbers written as text count too, what is no number does not. */
export function numbersAt(dataset: Raw, tag: string): number[] {
  return textsAt(dataset, tag).filter(Boolean).map(Number).filter(Number.isFinite)
}

export function numberAt(dataset: Raw, tag: string): number | null {
  return numbersAt(dataset, tag)[0] ?? null
}

/** A person's name as the header writes it, in Chinese characters where it has them. */
export function nameAt(dataset: Raw, tag: string): string {
  const [name] = itemsAt(dataset, tag)
  if (!name) return textAt(dataset, tag)
  const written = String([name.Ideographic, name.Alphabetic].find((one) => typeof one === 'string' && one) ?? '')
  // A Chinese name has no gap between its parts.
  return written.replaceAll('^', /[\u4e00-\u9fff]/.test(written) ? '' : ' ').trim()
}

/**
 * Where an attribute of a frame may stand, most special first: the functional groups of the frame, those that all frames
 * share (PS3.3 C.7.6.16), the data set itself.
 */
export function layersOf(dataset: Raw, frame: number): Raw[] {
  const [shared] = itemsAt(dataset, '52009229')
  const own = itemsAt(dataset, '52009230')[frame - 1]
  const groups = [own, shared].filter(isRaw).flatMap((group) => Object.keys(group).flatMap((tag) => itemsAt(group, tag).slice(0, 1)))
  return [...groups, dataset]
}

/** The first layer that has the attribute; the last one where none has. */
export function layerWith(layers: Raw[], tag: string): Raw {
  return layers.find((layer) => valuesAt(layer, tag).length > 0) ?? layers.at(-1) ?? {}
}
