import { describe, expect, it } from 'vitest'
import { onlyPart } from './multipart'
import { isReadable, readPixels, sizeOf } from './pixels'
import type { PixelFormat } from './types'

const GRAY: PixelFormat = { rows: 1, columns: 4, samples: 1, allocated: 16, stored: 16, highBit: 15, signed: true, photometric: 'MONOCHROME2', planar: false }
const RGB: PixelFormat = { ...GRAY, columns: 2, samples: 3, allocated: 8, stored: 8, highBit: 7, signed: false, photometric: 'RGB' }
const words = (...values: number[]) => Uint16Array.from(values).buffer
const bytes = (...values: number[]) => Uint8Array.from(values).buffer
const message = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0)).buffer
const text = (buffer: ArrayBuffer) => String.fromCharCode(...new Uint8Array(buffer))
const read = (buffer: ArrayBuffer, format: PixelFormat) => [...readPixels(buffer, format).data]

describe('readPixels', () => {
  it('reads signed and unsigned words', () => {
    expect(read(words(0, 1, 0xffff, 0x8000), GRAY)).toEqual([0, 1, -1, -32_768])
    expect(read(words(0, 1, 0xffff, 0x8000), { ...GRAY, signed: false })).toEqual([0, 1, 65_535, 32_768])
  })

  it('leaves out what lies in the bits beside a value of 12', () => {
    const twelve = { ...GRAY, stored: 12, highBit: 11 }
    expect(read(words(0xf001, 0x1fff, 0x0800, 0x07ff), twelve)).toEqual([1, -1, -2048, 2047])
    expect(read(words(0xf001, 0x1fff, 0x0800, 0x07ff), { ...twelve, signed: false })).toEqual([1, 4095, 2048, 2047])
    expect(read(words(0x001f, 0x0020, 0, 0xffff), { ...twelve, highBit: 15, signed: false })).toEqual([1, 2, 0, 4095])
  })

  it('reads bytes', () => {
    const eight = { ...GRAY, allocated: 8, stored: 8, highBit: 7 }
    expect(read(bytes(0, 127, 128, 255), { ...eight, signed: false })).toEqual([0, 127, 128, 255])
    expect(read(bytes(0, 127, 128, 255), eight)).toEqual([0, 127, -128, -1])
  })

  it('reads colours by pixel and by plane', () => {
    expect(read(bytes(1, 2, 3, 4, 5, 6), RGB)).toEqual([1, 2, 3, 255, 4, 5, 6, 255])
    expect(read(bytes(1, 4, 2, 5, 3, 6), { ...RGB, planar: true })).toEqual([1, 2, 3, 255, 4, 5, 6, 255])
  })

  it('turns luma and differences of colour into colours', () => {
    const ybr = { ...RGB, photometric: 'YBR_FULL' }
    expect(read(bytes(255, 128, 128, 76, 85, 255), ybr)).toEqual([255, 255, 255, 255, 254, 0, 0, 255])
    const halved = { ...RGB, photometric: 'YBR_FULL_422' }
    expect(read(bytes(255, 0, 128, 128), halved)).toEqual([255, 255, 255, 255, 0, 0, 0, 255])
  })

  it('refuses what is cut off', () => {
    expect(() => readPixels(words(1, 2, 3), GRAY)).toThrow(RangeError)
    expect(() => readPixels(bytes(1, 2, 3, 4, 5), RGB)).toThrow(RangeError)
  })

  it('knows what it reads, and how much that is', () => {
    expect(isReadable(GRAY)).toBe(true)
    expect(isReadable({ ...GRAY, allocated: 32 })).toBe(false)
    expect(isReadable({ ...GRAY, photometric: 'PALETTE COLOR' })).toBe(false)
    expect(sizeOf({ ...GRAY, rows: 512, columns: 512 })).toBe(524_288)
    expect(sizeOf({ ...RGB, rows: 10, columns: 10 })).toBe(400)
  })
})

describe('onlyPart', () => {
  const TYPE = 'multipart/related; type="application/octet-stream"; boundary=b-1'

  it('gives the bytes between the delimiters, whatever they are', () => {
    const body = '\r\n--b-1\r\n\u00ff\r\n'
    const part = onlyPart(TYPE, message(`--b-1\r\nContent-Type: application/octet-stream\r\n\r\n${body}\r\n--b-1--\r\n`))
    expect(part.type).toBe('application/octet-stream')
    expect(text(part.bytes)).toBe(body)
  })

  it('takes an answer of another type as it is', () => {
    expect(text(onlyPart('image/png', message('abc')).bytes)).toBe('abc')
  })

  it('refuses an answer that ends early', () => {
    for (const cut of ['', '--b-1\r\nContent-Type: x', '--b-1\r\nContent-Type: x\r\n\r\nabc']) {
      expect(() => onlyPart(TYPE, message(cut))).toThrow(RangeError)
    }
  })
})
