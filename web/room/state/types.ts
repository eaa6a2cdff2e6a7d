/** What the page knows of the room: docs/video-rooms.md in the page's words. */
export type Role = 'host' | 'guest'
export type Source = 'audio' | 'camera' | 'screen'
export type PictureSource = 'camera' | 'screen'
export type Purpose = 'publish' | 'subscribe'
/** How somebody's network is, as many bars. */
export type Network = 1 | 2 | 3 | 4
/** A place on a picture: shares (0–1) of its width and height. */
export type Point = readonly [number, number]
export type Shape = 'arrow' | 'circle' | 'freehand'

export interface Guest {
  person: string
  name: string
  label: string
}

export interface Person extends Guest {
  role: Role
  audio: boolean
  camera: boolean
  screen: boolean
  network: Network
}

/** What to send: lines and columns, pictures a second, bit/s. */
export interface Picture {
  width: number
  height: number
  frameRate: number
  bitrate: number
}

export interface Pointer {
  kind: 'pointer'
  on: string
  source: PictureSource
  shape: Shape | 'clear'
  points: Point[]
  stroke: string
  done: boolean
}

export interface Offer {
  kind: 'offer'
  purpose: Purpose
  connection: string
  sdp: string
  iceServers: RTCIceServer[]
}

export type ServerMessage =
  | { kind: 'waiting' | 'reconnect' | 'pong' }
  | { kind: 'joined'; you: string }
  | { kind: 'people'; people: Person[]; waiting: Guest[] }
  | Offer
  | { kind: 'places'; places: Record<string, string> }
  | { kind: 'quality'; network: Network; audioOnly: boolean; picture: Picture | null }
  | { kind: 'chat'; person: string; text: string }
  | (Pointer & { person: string })
  | { kind: 'look'; leader: string; state: string }
  | { kind: 'recording'; on: boolean; asked: boolean; by: string; agreed: string[] }
  | { kind: 'error' | 'closed'; code: string }

export type PageMessage =
  | { kind: 'join'; version: 1; token: string }
  | { kind: 'offer'; purpose: Purpose }
  | { kind: 'answer'; connection: string; sdp: string }
  | { kind: 'candidate'; connection: string; candidate: string }
  | { kind: 'mute'; audio: boolean; camera: boolean }
  | { kind: 'share'; on: boolean }
  | { kind: 'chat'; text: string }
  | Pointer
  | { kind: 'lead'; on: boolean }
  | { kind: 'look'; state: string }
  | { kind: 'admit'; person: string; admitted: boolean }
  | { kind: 'recording'; agree: boolean }
  | { kind: 'ping' | 'leave' }

/** What the page shows before it enters. Moments are epoch milliseconds. */
export interface Entry {
  state: 'early' | 'open' | 'closed'
  opensAt: number | null
  startsAt: number | null
  number: string
  you: Guest & { role: Role }
  expected: { name: string; label: string }[]
  recorded: boolean
}

export interface Pass {
  token: string
  url: string
}
