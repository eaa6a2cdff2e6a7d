import { isRaw, objects, text } from '../../shared/raw'

/** A picture that somebody marked as telling. */
export interface KeyImage {
  series: string
  sop: string
  frame: number
}

/** Where marks are kept. */
export interface KeyImages {
  list(study: string): Promise<KeyImage[]>
  /** Replaces the marks of a study. */
  put(study: string, images: KeyImage[]): Promise<void>
}

const PREFIX = 'qiaoyi-key-images-'

/** Keeps them on this device, identifiers alone; a browser that keeps nothing forgets them when the page is closed. */
export class KeyImagesHere implements KeyImages {
  async list(study: string): Promise<KeyImage[]> {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(PREFIX + study) ?? '[]')
      return objects(kept).filter(isRaw).map((raw) => ({ series: text(raw.series), sop: text(raw.sop), frame: Number(raw.frame) || 1 }))
    } catch {
      return []
    }
  }

  async put(study: string, images: KeyImage[]): Promise<void> {
    try {
      localStorage.setItem(PREFIX + study, JSON.stringify(images))
    } catch {
      // see above
    }
  }
}
