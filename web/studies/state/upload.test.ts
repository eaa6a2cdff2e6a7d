import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../../shared/http'
import type { StudiesClient } from './client'
import { sendUnit } from './sender'
import type { Result, Unit } from './types'
import { createUpload } from './upload'

vi.mock('./sender', () => ({ sendUnit: vi.fn() }))
const send = vi.mocked(sendUnit)

const READ: Result = { batch: 'b', receiving: 0, waiting: 0, stored: 2, skipped: 0, refused: 0, heldUp: '', files: [], studies: [] }
const FILES = ['a.zip', 'b.zip'].map((path) => ({ path, file: new File(['12345'], path) }))

function opened(results: Partial<Result>[] = [READ]) {
  const answers = [...results]
  const result = vi.fn(() => Promise.resolve({ ...READ, ...(answers.length > 1 ? answers.shift() : answers[0]) }))
  const leave = vi.fn(() => Promise.resolve(true))
  return { result, leave, upload: createUpload(() => ({ result }) as unknown as StudiesClient, leave) }
}

const whole = (unit: Unit, { onSent }: { onSent: (bytes: number) => void }) => {
  onSent(unit.size)
  return Promise.resolve([])
}

beforeEach(() => {
  vi.useFakeTimers()
  const listeners = new EventTarget()
  vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners))
  vi.stubGlobal('removeEventListener', listeners.removeEventListener.bind(listeners))
  vi.stubGlobal('dispatchEvent', listeners.dispatchEvent.bind(listeners))
  send.mockReset().mockImplementation(whole)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('bringing images', () => {
  it('sends everything, then asks until all is read', async () => {
    const { upload, result } = opened([{ waiting: 2 }, { waiting: 1, heldUp: '存满了' }, READ])
    await upload.start(FILES)
    expect([upload.phase.value, upload.bytesSent.value, upload.filesSent.value]).toEqual(['reading', 10, 2])
    await vi.advanceTimersByTimeAsync(1500)
    expect(upload.trouble.value).toBe('存满了')
    await vi.advanceTimersByTimeAsync(1500)
    expect([upload.phase.value, result.mock.calls.length]).toEqual(['done', 3])
  })

  it('tries again while the network is away, at once when it is back, and says that nothing is lost', async () => {
    const away = new ApiError('unreachable', '连不上', 0)
    send.mockRejectedValueOnce(away).mockRejectedValueOnce(away)
    const { upload } = opened()
    const done = upload.start(FILES)
    await vi.waitFor(() => expect(upload.trouble.value).toContain('已经传上去的不会丢'))
    dispatchEvent(new Event('online'))
    await done
    expect([upload.phase.value, upload.trouble.value, send.mock.calls.length]).toEqual(['done', '', 4])
  })

  it('stops where trying again is of no use, and goes on from there when asked', async () => {
    send.mockImplementationOnce(whole).mockRejectedValueOnce(new ApiError('too_large', '太大了', 413))
    const { upload, leave } = opened()
    await upload.start(FILES)
    expect([upload.phase.value, upload.trouble.value, upload.bytesSent.value]).toEqual(['stopped', '太大了', 5])
    expect(leave).not.toHaveBeenCalled()
    await upload.goOn()
    expect(upload.phase.value).toBe('done')
    expect(send.mock.calls.map(([unit]) => unit.name)).toEqual(['a.zip', 'b.zip', 'b.zip'])
  })

  it('asks again who it is where the session is over', async () => {
    send.mockRejectedValueOnce(new ApiError('unauthorised', '请重新打开', 401))
    const { upload, leave } = opened()
    await upload.start(FILES)
    expect(leave).toHaveBeenCalledOnce()
    expect(upload.phase.value).not.toBe('stopped')
  })

  it('is paused without trouble', async () => {
    send.mockImplementation((_unit, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))))
    const { upload } = opened()
    const done = upload.start(FILES)
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2))
    upload.pause()
    await done
    expect([upload.phase.value, upload.trouble.value]).toEqual(['paused', ''])
  })

  it('says so where all files are empty', async () => {
    const { upload } = opened()
    await upload.start([{ path: 'a', file: new File([], 'a') }])
    expect([upload.phase.value, upload.trouble.value]).toEqual(['choosing', '选的文件都是空的，请重新选。'])
    expect(send).not.toHaveBeenCalled()
  })

  it('shows what became of the last choice, and goes on asking where it is still read', async () => {
    const { upload } = opened([{ waiting: 1 }, { waiting: 1 }, READ])
    await upload.recall()
    expect(upload.phase.value).toBe('reading')
    await vi.advanceTimersByTimeAsync(1500)
    expect(upload.phase.value).toBe('done')
    upload.again()
    expect([upload.phase.value, upload.result.value]).toEqual(['choosing', null])
  })
})
