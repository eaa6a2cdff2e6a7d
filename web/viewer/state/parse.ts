import type { Raw } from '../../shared/raw'
import { itemsAt, layersOf, layerWith, nameAt, numberAt, numbersAt, textAt, textsAt } from './dicomjson'
import { tablesAt } from './tables'
import type { Axes, NamedWindow, Picture, Region, Series, Spacing, Study, Vector, VoiFunction } from './types'

/** The boundary: turns what QIDO-RS and WADO-RS answered into our own types. */
export function parseStudy(raw: Raw): Study {
  return { uid: textAt(raw, '0020000D'), patientName: nameAt(raw, '00100010'), description: textAt(raw, '00081030'), date: textAt(raw, '00080020') }
}

/** Series of these have nothing that could be shown as a picture; reports are read on their own page. */
export const WITHOUT_PICTURES = ['SR', 'DOC', 'KO', 'PR']

export function parseSeries(raw: Raw, study: Study): Series {
  return {
    uid: textAt(raw, '0020000E'),
    study,
    modality: textAt(raw, '00080060'),
    description: textAt(raw, '0008103E'),
    number: numberAt(raw, '00200011') ?? 0,
    instances: numberAt(raw, '00201209') ?? 0,
  }
}

/** Their spacing is measured in the patient; a projection's is measured on the detector. */
const CROSS_SECTIONS = ['CT', 'MR', 'PT', 'NM']

function asSpacing(values: number[]): Spacing | null {
  const [row = 0, column = 0] = values
  return row > 0 && column > 0 ? { row, column } : null
}

/**
 * The scale that holds in the patient. Pixel Spacing of a projection does so only where it was calibrated (PS3.3 10.7.1.3):
 * where it says how, or differs from the spacing on the detector.
 */
function spacingOf(layers: Raw[], modality: string): Spacing | null {
  const pixel = asSpacing(numbersAt(layerWith(layers, '00280030'), '00280030'))
  if (!pixel || CROSS_SECTIONS.includes(modality)) return pixel
  if (textAt(layerWith(layers, '00280A02'), '00280A02')) return pixel
  const detector = asSpacing(numbersAt(layerWith(layers, '00181164'), '00181164'))
  return detector && (detector.row !== pixel.row || detector.column !== pixel.column) ? pixel : null
}

const CENTIMETRES = 3 // PS3.3 C.8.5.5.1.15
const TWO_DIMENSIONAL = 1

/** The parts of an ultrasound picture whose both axes are lengths (PS3.3 C.8.5.5). */
function regionsOf(dataset: Raw): Region[] {
  return itemsAt(dataset, '00186011').flatMap((raw) => {
    const at = (tag: string) => numberAt(raw, tag) ?? 0
    const isLength = at('00186012') === TWO_DIMENSIONAL && at('00186024') === CENTIMETRES && at('00186026') === CENTIMETRES
    const spacing = asSpacing([Math.abs(at('0018602E')) * 10, Math.abs(at('0018602C')) * 10])
    if (!isLength || !spacing) return []
    return [{ left: at('00186018'), top: at('0018601A'), right: at('0018601C'), bottom: at('0018601E'), spacing }]
  })
}

function aspectOf(layers: Raw[]): number {
  const spacing = asSpacing(numbersAt(layerWith(layers, '00280030'), '00280030')) ?? asSpacing(numbersAt(layerWith(layers, '00181164'), '00181164'))
  const ratio = spacing ?? asSpacing(numbersAt(layerWith(layers, '00280034'), '00280034'))
  return ratio ? ratio.row / ratio.column : 1
}

function windowsOf(layers: Raw[]): NamedWindow[] {
  const layer = layerWith(layers, '00281050')
  const widths = numbersAt(layer, '00281051')
  const names = textsAt(layer, '00281055')
  const windows = numbersAt(layer, '00281050').map((center, at) => ({ center, width: widths[at] ?? 0, name: names[at] ?? '' }))
  return windows.filter((one, at) => one.width > 0 && windows.findIndex((other) => other.center === one.center && other.width === one.width) === at)
}

function voiOf(layers: Raw[]): VoiFunction {
  const found = textAt(layerWith(layers, '00281056'), '00281056')
  return found === 'LINEAR_EXACT' || found === 'SIGMOID' ? found : 'LINEAR'
}

function unitOf(layers: Raw[], modality: string): Picture['unit'] {
  const written = textAt(layerWith(layers, '00281054'), '00281054')
  return written === 'HU' || (modality === 'CT' && !written) ? 'HU' : ''
}

/** Pictures a second: Cine Rate, Recommended Display Frame Rate, or 1000 by Frame Time. */
function rateOf(dataset: Raw): number | null {
  const time = numberAt(dataset, '00181063')
  const rate = numberAt(dataset, '00180040') ?? numberAt(dataset, '00082144') ?? (time ? 1000 / time : null)
  return rate && rate > 0 ? rate : null
}

function asVector(values: number[]): Vector | null {
  const [x, y, z] = values
  return x === undefined || y === undefined || z === undefined ? null : [x, y, z]
}

function axesOf(layers: Raw[]): Axes | null {
  const values = numbersAt(layerWith(layers, '00200037'), '00200037')
  const [across, down] = [asVector(values), asVector(values.slice(3))]
  return across && down ? { across, down } : null
}

const JPEG_BASELINE = '1.2.840.10008.1.2.4.50'

function picture(dataset: Raw, frame: number): Picture {
  const layers = layersOf(dataset, frame)
  const anywhere = (tag: string) => numberAt(layerWith(layers, tag), tag)
  const modality = textAt(dataset, '00080060')
  const allocated = numberAt(dataset, '00280100') ?? 0
  const stored = numberAt(dataset, '00280101') ?? allocated
  const padding = numberAt(dataset, '00280120')
  const signed = numberAt(dataset, '00280103') === 1
  const intercept = anywhere('00281052') ?? 0
  return {
    sop: textAt(dataset, '00080018'),
    frame,
    modality,
    rows: numberAt(dataset, '00280010') ?? 0,
    columns: numberAt(dataset, '00280011') ?? 0,
    samples: numberAt(dataset, '00280002') ?? 1,
    allocated,
    stored,
    highBit: numberAt(dataset, '00280102') ?? stored - 1,
    signed,
    photometric: textAt(dataset, '00280004'),
    planar: numberAt(dataset, '00280006') === 1,
    slope: anywhere('00281053') || 1,
    intercept,
    modalityTable: tablesAt(layerWith(layers, '00283000'), '00283000', signed)[0] ?? null,
    voiTables: tablesAt(layerWith(layers, '00283010'), '00283010', signed || intercept < 0),
    unit: unitOf(layers, modality),
    padding,
    isJpeg: textsAt(dataset, '00083002').includes(JPEG_BASELINE),
    windows: windowsOf(layers),
    voi: voiOf(layers),
    spacing: spacingOf(layers, modality),
    regions: regionsOf(dataset),
    aspect: aspectOf(layers),
    thickness: anywhere('00180050'),
    axes: axesOf(layers),
    position: asVector(numbersAt(layerWith(layers, '00200032'), '00200032')),
    plane: null,
    rate: rateOf(dataset),
  }
}

/** Where a slice lies along the normal of its plane, in mm; null where the header does not say. */
function depthOf(dataset: Raw): number | null {
  const [xx = 0, xy = 0, xz = 0, yx = 0, yy = 0, yz = 0] = numbersAt(dataset, '00200037')
  const [x, y, z] = numbersAt(dataset, '00200032')
  if (x === undefined || y === undefined || z === undefined) return null
  return x * (xy * yz - xz * yy) + y * (xz * yx - xx * yz) + z * (xx * yy - xy * yx)
}

function compare(one: Raw, other: Raw): number {
  const [number, otherNumber] = [numberAt(one, '00200013'), numberAt(other, '00200013')]
  if (number !== null && otherNumber !== null && number !== otherNumber) return number - otherNumber
  const [depth, otherDepth] = [depthOf(one), depthOf(other)]
  if (depth !== null && otherDepth !== null && depth !== otherDepth) return depth - otherDepth
  return textAt(one, '00080018') < textAt(other, '00080018') ? -1 : 1
}

/** The pictures of a series in their order: by instance number, then along the patient, frame after frame. */
export function parsePictures(datasets: Raw[]): Picture[] {
  const images = datasets.filter((dataset) => (numberAt(dataset, '00280010') ?? 0) > 0 && (numberAt(dataset, '00280011') ?? 0) > 0)
  images.sort(compare)
  return images.flatMap((dataset) => {
    const frames = Math.max(1, numberAt(dataset, '00280008') ?? 1)
    return Array.from({ length: frames }, (_one, at) => picture(dataset, at + 1))
  })
}
