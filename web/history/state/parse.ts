import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { History, Hospital, Known, Mark, Measured, Outcome, Trend } from './types'

/** The boundary: turns what the server answered into our own types. */
const SEXES: Record<string, string> = { male: '男', female: '女' }
const MARKS: Mark[] = ['A', 'L', 'H', 'LL', 'HH']
const TRENDS: Trend[] = ['up', 'down', 'same']
const OUTCOMES: Outcome[] = ['fetched', 'absent', 'unmatched', 'unreachable']

function parseKnown(raw: Raw): Known {
  const hospitals = Array.isArray(raw.hospitals) ? raw.hospitals.map(text) : []
  return { text: text(raw.text), detail: text(raw.detail), when: text(raw.when), hospitals, severe: raw.severe === true }
}

function parseMeasured(raw: Raw): Measured {
  return {
    name: text(raw.name),
    value: text(raw.value),
    unit: text(raw.unit),
    reference: text(raw.reference),
    mark: MARKS.find((mark) => mark === raw.mark) ?? '',
    trend: TRENDS.find((trend) => trend === raw.trend) ?? 'unknown',
    when: text(raw.when),
    previous: text(raw.previous),
    previousWhen: text(raw.previous_when),
    points: objects(raw.points).map((point) => ({ at: toMillis(point.at) ?? 0, value: number(point.value) })),
    hospital: text(raw.hospital),
  }
}

function parseHospital(raw: Raw): Hospital {
  const outcome = OUTCOMES.find((one) => one === raw.outcome) ?? 'waiting'
  return { name: text(raw.name), outcome, asking: raw.asking === true, sentence: text(raw.sentence) }
}

function parseAll(part: unknown): Known[] {
  return objects(part).map(parseKnown)
}

export function parseHistory(value: unknown): History {
  const raw = isRaw(value) ? value : {}
  const more = isRaw(raw.more) ? raw.more : {}
  return {
    number: text(raw.number),
    name: text(raw.name),
    sex: SEXES[text(raw.sex)] ?? '',
    age: typeof raw.age === 'number' ? raw.age : null,
    identified: raw.identified === true,
    mayIdentify: raw.may_identify === true,
    asking: raw.asking === true,
    allergies: parseAll(raw.allergies),
    noneKnown: text(raw.none_known),
    conditions: parseAll(raw.conditions),
    pastConditions: parseAll(raw.past_conditions),
    medicines: parseAll(raw.medicines),
    vitals: objects(raw.vitals).map(parseMeasured),
    laboratory: objects(raw.laboratory).map(parseMeasured),
    encounters: parseAll(raw.encounters),
    reports: parseAll(raw.reports),
    studies: parseAll(raw.studies),
    told: objects(raw.told).map((one) => ({ title: text(one.title), text: text(one.text) })),
    hospitals: objects(raw.hospitals).map(parseHospital),
    more: {
      vitals: number(more.vitals),
      laboratory: number(more.laboratory),
      encounters: number(more.encounters),
      reports: number(more.reports),
      studies: number(more.studies),
    },
    madeAt: toMillis(raw.made_at) ?? 0,
  }
}
