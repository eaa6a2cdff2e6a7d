import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RoomSocket } from './socket'

class FakeSocket extends EventTarget {
  static readonly OPEN = 1
  static last: FakeSocket
  readyState = 0
  readonly said: string[] = []

  constructor(readonly url: string) {
    super()
    FakeSocket.last = this
  }

  send(text: string) {
    this.said.push(JSON.parse(text).kind)
  }

  close() {
    this.readyState = 3
  }

  open() {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  hear(message: object) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }))
  }
}

const handlers = { message: vi.fn(), closed: vi.fn(), lost: vi.fn() }
let socket: RoomSocket
let fake: FakeSocket

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.resetAllMocks()
  socket = new RoomSocket('ws://n1/rooms', 'token', handlers)
  fake = FakeSocket.last
})
afterEach(() => {
  socket.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('RoomSocket', () => {
  it('joins, then asks every two seconds whether the room is there', () => {
    fake.open()
    fake.hear({ kind: 'joined', you: 'p' })
    expect(handlers.message).toHaveBeenCalledWith({ kind: 'joined', you: 'p' })
    vi.advanceTimersByTime(2500)
    expect(fake.said).toEqual(['join', 'ping'])
    fake.hear({ kind: 'pong' })
    vi.advanceTimersByTime(2000)
    expect(fake.said).toEqual(['join', 'ping', 'ping'])
    expect(handlers.lost).not.toHaveBeenCalled()
  })

  it('is lost after four seconds of silence', () => {
    fake.open()
    fake.hear({ kind: 'joined', you: 'p' })
    vi.advanceTimersByTime(2000)
    vi.advanceTimersByTime(3900)
    expect(handlers.lost).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1100)
    expect(handlers.lost).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(20_000)
    expect(handlers.lost).toHaveBeenCalledOnce()
  })

  it('is lost when it never opens', () => {
    vi.advanceTimersByTime(9000)
    expect(handlers.lost).toHaveBeenCalledOnce()
  })

  it('is lost at once when the network cuts it', () => {
    fake.open()
    fake.dispatchEvent(new Event('close'))
    expect(handlers.lost).toHaveBeenCalledOnce()
  })

  it('tells why the room closed it, and not that it is lost', () => {
    fake.open()
    fake.hear({ kind: 'closed', code: 'over' })
    fake.dispatchEvent(new Event('close'))
    expect(handlers.closed).toHaveBeenCalledWith('over')
    expect(handlers.lost).not.toHaveBeenCalled()
  })

  it('asks before it gives up after a sleep', () => {
    fake.open()
    fake.hear({ kind: 'joined', you: 'p' })
    vi.advanceTimersByTime(2000)
    vi.setSystemTime(Date.now() + 60_000)
    vi.advanceTimersByTime(500)
    expect(handlers.lost).not.toHaveBeenCalled()
    expect(fake.said.at(-1)).toBe('ping')
    fake.hear({ kind: 'pong' })
    vi.advanceTimersByTime(1500)
    expect(handlers.lost).not.toHaveBeenCalled()
  })

  it('waits two seconds only when the network may have changed', () => {
    fake.open()
    fake.hear({ kind: 'joined', you: 'p' })
    socket.probe()
    vi.advanceTimersByTime(3000)
    expect(handlers.lost).toHaveBeenCalledOnce()
  })

  it('says nothing before it is open', () => {
    expect(socket.send({ kind: 'ping' })).toBe(false)
    expect(fake.said).toEqual([])
  })
})
