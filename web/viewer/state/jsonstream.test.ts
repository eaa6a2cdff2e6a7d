import { describe, expect, it } from 'vitest'
import { endOfFirst, readArray } from './jsonstream'

function inPieces(text: string, size: number): Response {
  const bytes = new TextEncoder().encode(text)
  return new Response(new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  }))
}

describe('a JSON array that streams in', () => {
  const objects = [{ name: '王^小明 {"\\', deep: [{ a: {} }] }, { b: 1 }]
  const text = JSON.stringify(objects)

  it('gives its first object and then all of them, however it is cut', async () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const first: unknown[] = []
      expect(await readArray(inPieces(text, size), (one) => first.push(one))).toEqual(objects)
      expect(first).toEqual([objects[0]])
    }
  })

  it('has no first object when it is empty, and is an error when it is cut off', async () => {
    const first: unknown[] = []
    expect(await readArray(inPieces('[]', 1), (one) => first.push(one))).toEqual([])
    expect(first).toEqual([])
    await expect(readArray(inPieces(text.slice(0, -3), 5), () => undefined)).rejects.toThrow(SyntaxError)
  })

  it('knows where an object ends', () => {
    expect(endOfFirst('[{"a":"}"')).toBe(-1)
    expect(endOfFirst('[{"a":"}"},')).toBe(10)
  })
})
