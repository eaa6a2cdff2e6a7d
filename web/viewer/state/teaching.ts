import { ref, shallowRef } from 'vue'
import { ApiError } from '../../shared/http'
import { isRaw, number, objects, text, type Raw } from '../../shared/raw'
import type { CaseApi } from './caseapi'

/** Who gets copies. */
export interface Place {
  id: string
  label: string
  institution: string
}

export type RequestState = 'waiting' | 'declined' | 'sending' | 'sent' | 'stayed'

/** Copies of a study that somebody asked for; numbers of images. */
export interface TeachingRequest {
  place: Place
  state: RequestState
  total: number
  arrived: number
  /** Those that do not go. */
  stayed: number
  /** Why not; empty where all goes. */
  sentence: string
}

export interface TeachingStudy {
  id: string
  description: string
  /** YYYYMMDD, or empty. */
  date: string
  modalities: string[]
  images: number
  requests: TeachingRequest[]
}

/** What the patient says to teaching with their images. */
export type PatientsWord = 'agreed' | 'undecided' | 'declined'

export interface Teaching {
  mayAsk: boolean
  patient: PatientsWord
  places: Place[]
  studies: TeachingStudy[]
}

const PATH = '/teaching'
const STATES: RequestState[] = ['waiting', 'declined', 'sending', 'sent', 'stayed']
const WORDS: PatientsWord[] = ['agreed', 'undecided', 'declined']
const NOTHING: Teaching = { mayAsk: false, patient: 'undecided', places: [], studies: [] }

const parsePlace = (raw: Raw): Place => ({ id: text(raw.id), label: text(raw.label), institution: text(raw.institution) })

function parseRequest(raw: Raw): TeachingRequest {
  return {
    place: parsePlace(isRaw(raw.place) ? raw.place : {}),
    state: STATES.find((one) => one === raw.state) ?? 'waiting',
    total: number(raw.total), arrived: number(raw.arrived), stayed: number(raw.stayed), sentence: text(raw.sentence),
  }
}

function parseStudy(raw: Raw): TeachingStudy {
  const modalities = Array.isArray(raw.modalities) ? raw.modalities.map(text).filter(Boolean) : []
  return { id: text(raw.id), description: text(raw.description), date: text(raw.date), modalities, images: number(raw.images), requests: objects(raw.requests).map(parseRequest) }
}

export function parseTeaching(answer: unknown): Teaching {
  if (!isRaw(answer) || answer.may_ask !== true) return NOTHING
  // Without a word that is known nobody is told that the patient agrees.
  const patient = WORDS.find((one) => one === answer.patient) ?? 'undecided'
  return { mayAsk: true, patient, places: objects(answer.places).map(parsePlace), studies: objects(answer.studies).map(parseStudy) }
}

/** What a person reads of a request. */
export function standing({ state, total, arrived, stayed, sentence }: TeachingRequest): string {
  if (state === 'waiting') return '在等患者同意，同意了就送'
  if (state === 'declined') return arrived ? `患者收回了同意，送了 ${arrived} 张以后不再送` : '患者不同意，没有送'
  if (state === 'stayed') return `没有送：${sentence}`
  if (state === 'sending') return [total ? `正在送，已送 ${arrived}/${total} 张` : '马上开始送', stayed ? sentence : ''].filter(Boolean).join('。')
  return stayed ? `已送 ${arrived} 张，${stayed} 张没有送：${sentence}` : `已送 ${arrived} 张`
}

/** The copies for teaching of the case. */
export function createTeaching(api: CaseApi) {
  const view = shallowRef(NOTHING)
  const trouble = ref('')

  async function load(): Promise<void> {
    try {
      view.value = parseTeaching(await api.ask('GET', PATH))
      trouble.value = ''
    } catch (error) {
      trouble.value = error instanceof ApiError ? `教学用图没有读到：${error.message}` : '教学用图没有读到，请再试一次。'
    }
  }

  return {
    view, trouble, load,
    /** Lets copies of a study go to a place, once the patient agrees; raises ApiError. */
    async send(study: string, place: string, reason: string): Promise<void> {
      view.value = parseTeaching(await api.ask('POST', PATH, { study, place, reason }))
    },
  }
}

export type TeachingCopies = ReturnType<typeof createTeaching>
