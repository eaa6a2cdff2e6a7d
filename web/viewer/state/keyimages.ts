import { isRaw, number, objects, text, type Raw } from '../../shared/raw'
import type { CaseApi } from './caseapi'
import type { VoiFunction, Window } from './types'

/** A frame and how it was seen; the window is null where the header's holds. */
export interface Frame {
  sop: string
  /** From 1. */
  frame: number
  window: (Window & { function: VoiFunction }) | null
  inverted: boolean
}

/** A picture that somebody marked as telling. */
export interface KeyImage extends Frame {
  /** Empty until the server has written the mark down. */
  id: string
  /** Who marked it: 李梅医生. */
  marker: string
}

export interface KeyImageList {
  images: KeyImage[]
  /** Whether the reader may mark and take marks away. */
  mayMark: boolean
}

/** Where marks are kept; every method raises ApiError. */
export interface KeyImages {
  list(): Promise<KeyImageList>
  mark(frame: Frame): Promise<KeyImage>
  unmark(id: string): Promise<KeyImageList>
}

const PATH = '/key-images'
const FUNCTIONS: VoiFunction[] = ['LINEAR', 'LINEAR_EXACT', 'SIGMOID']

/** Keeps them with the case, for everybody who may see its images. */
export class KeyImagesOfCase implements KeyImages {
  constructor(private readonly api: CaseApi) {}

  async list(): Promise<KeyImageList> {
    return parseList(await this.api.ask('GET', PATH))
  }

  async mark({ sop, frame, window, inverted }: Frame): Promise<KeyImage> {
    const answer = await this.api.ask('POST', PATH, { instance: sop, frame, window, inverted })
    return parseImage(isRaw(answer) ? answer : {})
  }

  async unmark(id: string): Promise<KeyImageList> {
    return parseList(await this.api.ask('DELETE', `${PATH}/${id}`))
  }
}

function parseList(answer: unknown): KeyImageList {
  const raw = isRaw(answer) ? answer : {}
  return { images: objects(raw.items).map(parseImage), mayMark: raw.may_mark === true }
}

function parseImage(raw: Raw): KeyImage {
  const { window } = raw
  const how = isRaw(window) ? FUNCTIONS.find((one) => one === window.function) : undefined
  return {
    id: text(raw.id), sop: text(raw.instance), frame: number(raw.frame) || 1, marker: text(raw.marker), inverted: raw.inverted === true,
    window: how && isRaw(window) ? { center: number(window.center), width: number(window.width), function: how } : null,
  }
}
