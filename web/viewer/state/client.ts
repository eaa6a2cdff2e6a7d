import { ApiError, call, callJson } from '../../shared/http'
import { isRaw, objects, type Raw } from '../../shared/raw'
import { JlsDecoder } from './jls'
import { readArray } from './jsonstream'
import { onlyPart } from './multipart'
import { parsePictures, parseSeries, parseStudy, WITHOUT_PICTURES } from './parse'
import { isReadable, readPixels } from './pixels'
import type { Picture, Pixels, Series } from './types'

const BASE = '/dicomweb/view'
const FRAME_TIMEOUT_MS = 60_000
const OCTETS = 'multipart/related; type="application/octet-stream"'
const JPEG = 'multipart/related; type="image/jpeg"'
/** As it is stored where that is JPEG-LS, else decoded by the server. */
const JPEG_LS = `multipart/related; type="image/jls", ${OCTETS}`
const NOT_ACCEPTABLE = 406

/** What the server has of a consultation, as DICOMweb (PS3.18). Every method raises ApiError. */
export class ImagingClient {
  private readonly decoder = new JlsDecoder()

  constructor(readonly consultation: string, readonly token: string) {}

  close(): void {
    this.decoder.close()
  }

  /** All series of pictures of all studies of the consultation, by study, then by number. */
  async series(): Promise<Series[]> {
    const studies = (await this.dicomJson(`/studies?consultation=${encodeURIComponent(this.consultation)}`)).map(parseStudy)
    const found = await Promise.all(
      studies.map(async (study) => (await this.dicomJson(`/studies/${study.uid}/series`)).map((raw) => parseSeries(raw, study))),
    )
    for (const series of found) series.sort((one, other) => one.number - other.number)
    return found.flat().filter(({ modality }) => !WITHOUT_PICTURES.includes(modality))
  }

  /** The pictures of a series; the first that the server names is told before the others have come. */
  async pictures(series: Series, onFirst: (first: Picture) => void): Promise<Picture[]> {
    const answer = await this.get(`${path(series)}/metadata`, 'application/dicom+json')
    const all = await readArray(answer, (raw) => {
      const [first] = isRaw(raw) ? parsePictures([raw]) : []
      if (first) onFirst(first)
    })
    return parsePictures(objects(all))
  }

  async thumbnail(series: Series): Promise<Blob> {
    return (await this.get(`${path(series)}/thumbnail`, 'image/*')).blob()
  }

  /** The pixels of a picture; raises RangeError where they are cut off, ApiError `unreadable` where nobody can show them. */
  async pixels(series: Series, picture: Picture, signal: AbortSignal): Promise<Pixels> {
    const instance = `${path(series)}/instances/${picture.sop}`
    if (!isReadable(picture)) return this.rendered(instance, picture, signal)
    try {
      // What the server stores as JPEG it does not decode; the browser does.
      return await this.frame(instance, picture, this.accepted(picture), signal)
    } catch (error) {
      throw error instanceof ApiError && error.status === NOT_ACCEPTABLE ? unreadable() : error
    }
  }

  private accepted(picture: Picture): string {
    if (picture.isJpeg) return JPEG
    return picture.samples === 1 && this.decoder.mayStart ? JPEG_LS : OCTETS
  }

  private async frame(instance: string, picture: Picture, accept: string, signal: AbortSignal): Promise<Pixels> {
    const answer = await this.get(`${instance}/frames/${picture.frame}`, accept, signal)
    const part = onlyPart(answer.headers.get('Content-Type') ?? '', await answer.arrayBuffer())
    if (part.type.startsWith('image/jls')) {
      // The decoder starts while the first frames come; where it does not, the server decodes.
      if (!(await this.decoder.isReady())) return this.frame(instance, picture, OCTETS, signal)
      const { bytes, bits } = await this.decoder.decode(part.bytes)
      return readPixels(bytes, { ...picture, allocated: bits > 8 ? 16 : 8 })
    }
    return part.type.startsWith('image/') ? painted(new Blob([part.bytes], { type: part.type })) : readPixels(part.bytes, picture)
  }

  /** What the page cannot read itself (palettes, 32 bits), as the server draws it: with square pixels, taken back to its rows and columns. */
  private async rendered(instance: string, picture: Picture, signal: AbortSignal): Promise<Pixels> {
    const drawn = await (await this.get(`${instance}/frames/${picture.frame}/rendered`, 'image/png, image/jpeg', signal)).blob()
    return painted(drawn, picture)
  }

  private async dicomJson(address: string, timeoutMs?: number): Promise<Raw[]> {
    return objects(await callJson(BASE + address, { headers: this.headers('application/dicom+json') }, timeoutMs))
  }

  private get(address: string, accept: string, signal: AbortSignal | null = null): Promise<Response> {
    return call(BASE + address, { headers: this.headers(accept), signal }, FRAME_TIMEOUT_MS)
  }

  private headers(accept: string): HeadersInit {
    return { Authorization: `Bearer ${this.token}`, Accept: accept }
  }
}

function path(series: Series): string {
  return `/studies/${series.study.uid}/series/${series.uid}`
}

function unreadable(): ApiError {
  return new ApiError('unreadable', '这种格式的图像在这里打不开，请在医院的工作站上看。', 0)
}

/** A picture that the browser decodes, as RGBA. */
async function painted(blob: Blob, as?: Picture): Promise<Pixels> {
  const bitmap = await createImageBitmap(blob).catch(() => {
    throw unreadable()
  })
  const canvas = document.createElement('canvas')
  canvas.width = as?.columns ?? bitmap.width
  canvas.height = as?.rows ?? bitmap.height
  const context = canvas.getContext('2d')
  if (!context) throw unreadable()
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  return { kind: 'colour', data: context.getImageData(0, 0, canvas.width, canvas.height).data, rows: canvas.height, columns: canvas.width }
}
