import { ref, shallowRef } from 'vue'
import { ApiError } from '../../shared/http'
import { toMillis } from '../../shared/chinatime'
import { isRaw, objects, text, type Raw } from '../../shared/raw'
import type { CaseApi } from './caseapi'

/** A photograph that somebody sent in the chat. */
export interface Photograph {
  id: string
  note: string
  /** Who sent it: 患者, 李梅医生. */
  sender: string
  /** Epoch milliseconds. */
  sentAt: number
  /** Whether it is an image of a study too. */
  isConverted: boolean
}

const PATH = '/photographs'

function parsePhotograph(raw: Raw): Photograph {
  return { id: text(raw.id), note: text(raw.note), sender: text(raw.sender), sentAt: toMillis(raw.sent_at) ?? 0, isConverted: raw.converted === true }
}

/** The photographs of the case. */
export function createPhotographs(api: CaseApi) {
  const items = shallowRef<Photograph[]>([])
  /** Whether the reader may make images of them. */
  const mayConvert = ref(false)
  const trouble = ref('')

  async function load(): Promise<void> {
    try {
      const answer = await api.ask('GET', PATH)
      const raw = isRaw(answer) ? answer : {}
      items.value = objects(raw.items).map(parsePhotograph)
      mayConvert.value = raw.may_convert === true
      trouble.value = ''
    } catch (error) {
      trouble.value = error instanceof ApiError ? `照片没有读到：${error.message}` : '照片没有读到，请再试一次。'
    }
  }

  return {
    items, mayConvert, trouble, load,
    picture: (one: Photograph): Promise<Blob> => api.blob(`${PATH}/${one.id}`),
    thumbnail: (one: Photograph): Promise<Blob> => api.blob(`${PATH}/${one.id}/thumbnail`),
    /** Makes it an image of a study; raises ApiError. */
    async convert(one: Photograph, namesVisible: boolean): Promise<void> {
      const answer = await api.ask('POST', `${PATH}/${one.id}/conversion`, { names_visible: namesVisible })
      const converted = parsePhotograph(isRaw(answer) ? answer : {})
      items.value = items.value.map((other) => (other.id === one.id ? { ...other, isConverted: converted.isConverted } : other))
    },
  }
}

export type Photographs = ReturnType<typeof createPhotographs>
