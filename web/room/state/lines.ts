import type { Person } from './types'

export interface Standing {
  broken: string
  audioOnly: boolean
  others: Person[]
  frozen: boolean
  cameraOff: boolean
}

/** The one sentence about how things are that matters most now; empty when all is well. */
export function standingLine({ broken, audioOnly, others, frozen, cameraOff }: Standing): string {
  if (broken) return broken
  if (frozen) return '画面已定格，只有您看得到。'
  if (audioOnly) return '您的网络不好，先只听声音。网络好了，画面会自己回来。'
  const weak = others.filter(({ network }) => network === 1).map(({ name }) => name)
  if (weak.length) return `${weak.join('、')}的网络不好，先只听声音。`
  if (others.length === 0) return '还没有别人进来，请稍等。'
  return cameraOff ? '您的画面关着，别人看不到您。' : ''
}
