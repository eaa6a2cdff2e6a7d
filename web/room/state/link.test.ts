import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../../shared/http'
import { Link } from './link'
import type { SocketHandlers } from './socket'

const sockets: SocketHandlers[] = []
vi.mock('./socket', () => ({
  RoomSocket: class {
    constructor(_url: string, _token: string, handlers: SocketHandlers) {
      sockets.push(handlers)
    }
    send = () => true
    close = () => undefined
    probe = () => undefined
  },
}))

const fetchPass = vi.fn()
const handlers = { fetchPass, message: vi.fn(), lost: vi.fn(), refused: vi.fn(), closed: vi.fn() }
let link: Link

async function start() {
  link = new Link(handlers)
  await vi.advanceTimersByTimeAsync(0)
  return sockets.at(-1) as SocketHandlers
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetAllMocks()
  fetchPass.mockResolvedValue({ token: 't', url: 'ws://n1' })
  sockets.length = 0
})
afterEach(() => {
  link.stop()
  vi.useRealTimers()
})

describe('Link', () => {
  it('fetches a new pass at once when a connection that stood is lost', async () => {
    const socket = await start()
    socket.message({ kind: 'joined', you: 'p' })
    socket.lost()
    expect(handlers.lost).toHaveBeenCalledWith(null)
    await vi.advanceTimersByTimeAsync(1)
    expect(fetchPass).toHaveBeenCalledTimes(2)
    expect(sockets).toHaveLength(2)
  })

  it('waits a second where none ever stood', async () => {
    const socket = await start()
    socket.lost()
    await vi.advanceTimersByTimeAsync(900)
    expect(fetchPass).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(700)
    expect(fetchPass).toHaveBeenCalledTimes(2)
  })

  it('asks each second for a pass as long as nobody answers', async () => {
    fetchPass.mockRejectedValue(new ApiError('unreachable', '', 0))
    await start()
    await vi.advanceTimersByTimeAsync(6000)
    expect(fetchPass.mock.calls.length).toBeGreaterThanOrEqual(4)
    expect(handlers.refused).not.toHaveBeenCalled()
  })

  it('asks again when a busy room says, not before', async () => {
    fetchPass.mockRejectedValueOnce(new ApiError('room_busy', '诊室正忙', 503, 5000))
    await start()
    await vi.advanceTimersByTimeAsync(4900)
    expect(fetchPass).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(700)
    expect(fetchPass).toHaveBeenCalledTimes(2)
  })

  it('stops where a pass is refused', async () => {
    const refusal = new ApiError('forbidden', '不能进', 403)
    fetchPass.mockRejectedValue(refusal)
    await start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(handlers.refused).toHaveBeenCalledWith(refusal)
    expect(fetchPass).toHaveBeenCalledTimes(1)
  })

  it.each(['over', 'refused', 'other_device', 'full'])('stops where the room closes with %s', async (code) => {
    const socket = await start()
    socket.closed(code)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(handlers.closed).toHaveBeenCalledWith(code)
    expect(fetchPass).toHaveBeenCalledTimes(1)
  })

  it.each(['closing', 'moving', 'busy'])('goes to another process at once when its own is %s', async (code) => {
    const socket = await start()
    socket.message({ kind: 'joined', you: 'p' })
    socket.closed(code)
    await vi.advanceTimersByTimeAsync(1)
    expect(fetchPass).toHaveBeenCalledTimes(2)
  })

  it('gives up on a fault that does not pass', async () => {
    await start()
    for (let time = 0; time < 9; time += 1) {
      sockets.at(-1)?.closed('token_forged')
      await vi.advanceTimersByTimeAsync(2000)
    }
    expect(handlers.closed).toHaveBeenCalledWith('token_forged')
  })
})
