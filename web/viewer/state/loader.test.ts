import { describe, expect, it, vi } from 'vitest'
import { StackLoader } from './loader'
import { loadingOrder, thatFit } from './order'

const settle = () => new Promise((done) => setTimeout(done))

/** A server of which the test says when it answers. */
function server(count: number, budget = 1e9, size = 10) {
  const asked: number[] = []
  const stopped: number[] = []
  const failures: number[] = []
  const waiting = new Map<number, { answer: (value: string) => void; fail: (error: unknown) => void }>()
  const loader = new StackLoader<string>({
    count, budget,
    sizeAt: () => size,
    fetch: (at, signal) => new Promise((answer, fail) => {
      asked.push(at)
      waiting.set(at, { answer, fail })
      signal.addEventListener('abort', () => {
        stopped.push(at)
        fail(signal.reason)
      })
    }),
    onLoaded: () => undefined,
    onFailed: (at) => failures.push(at),
  })
  const answer = async (at: number) => {
    waiting.get(at)?.answer(`picture ${at}`)
    waiting.delete(at)
    await settle()
  }
  const answerAll = async () => {
    while (waiting.size) await answer([...waiting.keys()][0] as number)
  }
  return { loader, asked, stopped, failures, waiting, answer, answerAll }
}

describe('the order of loading', () => {
  it('is the nearest first, ahead before behind', () => {
    expect(loadingOrder(3, 7, 1)).toEqual([3, 4, 2, 5, 1, 6, 0])
    expect(loadingOrder(3, 7, -1)).toEqual([3, 2, 4, 1, 5, 0, 6])
    expect(loadingOrder(0, 3, -1)).toEqual([0, 1, 2])
    expect(loadingOrder(0, 1, 1)).toEqual([0])
  })

  it('ends where the budget does, after one at least', () => {
    expect(thatFit([3, 4, 2, 5], () => 10, 25)).toEqual([3, 4])
    expect(thatFit([3, 4], () => 10, 5)).toEqual([3])
    expect(thatFit([3, 4], () => 10, 20)).toEqual([3, 4])
  })
})

describe('StackLoader', () => {
  it('asks for everything once, some at a time', async () => {
    const { loader, asked, answerAll } = server(20)
    loader.focus(0)
    expect(asked).toHaveLength(4)
    await answerAll()
    expect(asked).toEqual(Array.from({ length: 20 }, (_one, at) => at))
    expect(loader.get(19)).toBe('picture 19')
  })

  it('asks at once for the picture that is turned to, and stops what is far from it', async () => {
    const { loader, asked, stopped } = server(300)
    loader.focus(0)
    loader.focus(200)
    expect(asked.at(-1)).toBe(200)
    await settle()
    expect(stopped).toEqual([0, 1, 2, 3])
    expect(asked.slice(4).toSorted()).toEqual([199, 200, 201, 202])
  })

  it('keeps no more than the budget, and of that the nearest', async () => {
    const { loader, answerAll } = server(100, 100)
    loader.focus(0)
    await answerAll()
    expect(loader.loaded).toBe(10)
    loader.focus(50)
    await answerAll()
    expect(loader.loaded).toBe(10)
    expect(loader.get(50)).toBeDefined()
    expect(loader.get(0)).toBeUndefined()
  })

  it('says what failed, goes on, and asks again when turned to', async () => {
    const { loader, asked, failures, waiting, answerAll } = server(6)
    loader.focus(0)
    waiting.get(1)?.fail(new Error('offline'))
    waiting.delete(1)
    await settle()
    await answerAll()
    expect(failures).toEqual([1])
    expect(asked.filter((at) => at === 1)).toHaveLength(1)
    loader.focus(1)
    await answerAll()
    expect(loader.get(1)).toBe('picture 1')
  })

  it('asks for nothing after it is closed', async () => {
    const { loader, asked, answerAll, failures } = server(20)
    loader.focus(0)
    loader.close()
    await vi.waitFor(answerAll)
    expect(asked).toHaveLength(4)
    expect(failures).toEqual([])
    expect(loader.loaded).toBe(0)
  })
})
