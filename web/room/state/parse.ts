import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { Entry, Guest, Network, Pass, Person, Picture, PictureSource, Point, Pointer, ServerMessage, Shape } from './types'

/** The boundary: turns what the server said into our own types. Nothing here trusts a shape, nothing here throws. */
const SHAPES = ['arrow', 'circle', 'freehand', 'clear'] as const

function network(value: unknown): Network {
  return Math.min(4, Math.max(1, Math.round(number(value)))) as Network
}

function guest(raw: Raw): Guest {
  return { person: text(raw.person), name: text(raw.name) || '未具名', label: text(raw.label) }
}

function guests(value: unknown): Guest[] {
  return objects(value).map(guest).filter((one) => one.person)
}

function person(raw: Raw): Person {
  return {
    ...guest(raw),
    role: raw.role === 'host' ? 'host' : 'guest',
    audio: raw.audio === true,
    camera: raw.camera === true,
    screen: raw.screen === true,
    network: network(raw.network),
  }
}

function picture(value: unknown): Picture | null {
  if (!isRaw(value)) return null
  const wanted = {
    width: number(value.width),
    height: number(value.height),
    frameRate: number(value.frame_rate),
    bitrate: number(value.bitrate),
  }
  return Object.values(wanted).every((one) => one > 0) ? wanted : null
}

function point(value: unknown): Point | null {
  if (!Array.isArray(value) || value.length !== 2) return null
  const [x, y] = value as unknown[]
  return typeof x === 'number' && typeof y === 'number' && x >= 0 && x <= 1 && y >= 0 && y <= 1 ? [x, y] : null
}

function pointer(raw: Raw): (Pointer & { person: string }) | null {
  const shape = SHAPES.find((one): one is Shape | 'clear' => one === raw.shape)
  const source = (['camera', 'screen'] as const).find((one): one is PictureSource => one === raw.source)
  const points = (Array.isArray(raw.points) ? raw.points : []).map(point)
  if (!shape || !source || !points.every((one) => one !== null)) return null
  return {
    kind: 'pointer', person: text(raw.person), on: text(raw.on), source, shape, points, stroke: text(raw.stroke),
    done: raw.done !== false,
  }
}

function iceServers(value: unknown): RTCIceServer[] {
  return objects(value).map((raw) => ({
    urls: Array.isArray(raw.urls) ? raw.urls.map(text) : text(raw.urls),
    ...(raw.username ? { username: text(raw.username), credential: text(raw.credential) } : {}),
  }))
}

function places(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(isRaw(value) ? value : {}).map(([place, shown]) => [place, text(shown)]))
}

const kinds: Record<string, (raw: Raw) => ServerMessage | null> = {
  waiting: () => ({ kind: 'waiting' }),
  reconnect: () => ({ kind: 'reconnect' }),
  pong: () => ({ kind: 'pong' }),
  joined: (raw) => ({ kind: 'joined', you: text(raw.you) }),
  people: (raw) => ({
    kind: 'people',
    people: objects(raw.people).map(person).filter((one) => one.person),
    waiting: guests(raw.waiting),
  }),
  offer: (raw) => ({
    kind: 'offer',
    purpose: raw.purpose === 'publish' ? 'publish' : 'subscribe',
    connection: text(raw.connection),
    sdp: text(raw.sdp),
    iceServers: iceServers(raw.ice_servers),
  }),
  places: (raw) => ({ kind: 'places', places: places(raw.places) }),
  quality: (raw) => ({
    kind: 'quality', network: network(raw.network), audioOnly: raw.audio_only === true, picture: picture(raw.picture),
  }),
  chat: (raw) => ({ kind: 'chat', person: text(raw.person), text: text(raw.text) }),
  pointer,
  look: (raw) => ({ kind: 'look', leader: text(raw.leader), state: text(raw.state) }),
  recording: (raw) => ({
    kind: 'recording',
    on: raw.on === true,
    asked: raw.asked === true,
    by: text(raw.by),
    agreed: (Array.isArray(raw.agreed) ? raw.agreed : []).map(text),
  }),
  error: (raw) => ({ kind: 'error', code: text(raw.code) }),
  closed: (raw) => ({ kind: 'closed', code: text(raw.code) }),
}

/** A message of the room's WebSocket or data channel; null for anything that it never says. */
export function parseMessage(value: unknown): ServerMessage | null {
  if (typeof value !== 'string') return null
  let raw: unknown
  try {
    raw = JSON.parse(value)
  } catch {
    return null
  }
  if (!isRaw(raw)) return null
  const kind = text(raw.kind)
  return Object.prototype.hasOwnProperty.call(kinds, kind) ? (kinds[kind]?.(raw) ?? null) : null
}

export function parseEntry(value: unknown): Entry {
  const raw = isRaw(value) ? value : {}
  const you = isRaw(raw.you) ? raw.you : {}
  return {
    state: raw.state === 'early' || raw.state === 'closed' ? raw.state : 'open',
    opensAt: toMillis(raw.opens_at),
    startsAt: toMillis(raw.starts_at),
    number: text(raw.number),
    you: { ...guest(you), role: you.role === 'host' ? 'host' : 'guest' },
    expected: objects(raw.expected).map((one) => ({ name: text(one.name), label: text(one.label) })),
    recorded: raw.recorded === true,
  }
}

export function parsePass(value: unknown): Pass {
  const raw = isRaw(value) ? value : {}
  return { token: text(raw.token), url: text(raw.url) }
}

export function parseSession(value: unknown): { token: string; consultation: string; page: string } {
  const raw = isRaw(value) ? value : {}
  return { token: text(raw.token), consultation: text(raw.consultation_id), page: text(raw.page) }
}
