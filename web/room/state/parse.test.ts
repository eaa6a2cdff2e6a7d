import { describe, expect, it } from 'vitest'
import { parseEntry, parseMessage, parsePass, parseSession } from './parse'

const message = (value: object) => parseMessage(JSON.stringify(value))

describe('parseMessage', () => {
  it('reads who is in and who waits', () => {
    const person = { person: 'p1', name: '王秀英', label: '患者', role: 'guest', audio: true, camera: false, screen: false, network: 2 }
    expect(message({ kind: 'people', people: [person], waiting: [{ person: 'p2', name: '老李', label: '患者' }] })).toEqual({
      kind: 'people',
      people: [person],
      waiting: [{ person: 'p2', name: '老李', label: '患者' }],
    })
  })

  it('keeps networks within the four bars', () => {
    for (const [network, shown] of [[0, 1], [9, 4], ['x', 1]]) {
      expect(message({ kind: 'people', people: [{ person: 'p', network }] })).toMatchObject({ people: [{ network: shown }] })
    }
  })

  it('reads an offer with its relays', () => {
    const relay = { urls: ['turn:t.example'], username: 'u', credential: 'c' }
    expect(message({ kind: 'offer', version: 1, purpose: 'publish', connection: 'c1', sdp: 'v=0', ice_servers: [relay] })).toEqual({
      kind: 'offer', purpose: 'publish', connection: 'c1', sdp: 'v=0', iceServers: [relay],
    })
  })

  it('reads the picture that is asked for, and that none is', () => {
    const picture = { width: 854, height: 480, frame_rate: 15, bitrate: 500_000 }
    expect(message({ kind: 'quality', network: 2, audio_only: false, picture })).toMatchObject({ picture: { frameRate: 15, height: 480 } })
    expect(message({ kind: 'quality', network: 1, audio_only: true, picture: null })).toMatchObject({ audioOnly: true, picture: null })
    expect(message({ kind: 'quality', network: 2, picture: { width: 0 } })).toMatchObject({ picture: null })
  })

  it('reads a stroke, and drops one with points beside the picture', () => {
    const stroke = { kind: 'pointer', person: 'p', on: 'q', source: 'camera', shape: 'arrow', points: [[0, 0], [1, 0.5]], stroke: 's', done: true }
    expect(message(stroke)).toEqual(stroke)
    for (const points of [[[2, 0]], [[0]], [['x', 0]], [null]]) expect(message({ ...stroke, points })).toBeNull()
    expect(message({ ...stroke, shape: 'star' })).toBeNull()
    expect(message({ ...stroke, source: 'audio' })).toBeNull()
  })

  it('survives any nonsense', () => {
    for (const value of ['', 'x', '[]', 'null', '1', '{}', '{"kind":"constructor"}', '{"kind":1}', 5, null, new ArrayBuffer(3)]) {
      expect(parseMessage(value)).toBeNull()
    }
    expect(message({ kind: 'people', people: 'x', waiting: [1] })).toEqual({ kind: 'people', people: [], waiting: [] })
    expect(message({ kind: 'places', places: [] })).toEqual({ kind: 'places', places: {} })
  })
})

describe('the answers of the API', () => {
  it('reads what a room says of itself', () => {
    const you = { person: 'p', name: '李建国', label: '医生', role: 'host' }
    const raw = { state: 'early', opens_at: '2026-11-21T09:45:00+08:00', starts_at: null, number: 'HZ1', you, expected: [{ name: '王秀英', label: '患者' }], recorded: true }
    expect(parseEntry(raw)).toEqual({
      state: 'early', opensAt: Date.UTC(2026, 10, 21, 1, 45), startsAt: null, number: 'HZ1', you, expected: [{ name: '王秀英', label: '患者' }], recorded: true,
    })
    expect(parseEntry(null)).toMatchObject({ state: 'open', number: '', expected: [] })
  })

  it('reads passes and sessions', () => {
    expect(parsePass({ token: 't', url: 'wss://n1/rooms', node: 'n1' })).toEqual({ token: 't', url: 'wss://n1/rooms' })
    expect(parseSession({ token: 't', expires_at: '', consultation_id: 'c', page: 'room' })).toEqual({ token: 't', consultation: 'c', page: 'room' })
  })
})
