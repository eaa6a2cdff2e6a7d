import type { Message } from '../state/types'

const GAP_MS = 5 * 60_000

/** Marks the messages above which WeChat prints the time: the first, and each that follows a pause of five minutes. */
export function withStamps(messages: readonly Message[]): { message: Message; stamped: boolean }[] {
  let previous = Number.NEGATIVE_INFINITY
  return messages.map((message) => {
    const stamped = Math.abs(message.at - previous) >= GAP_MS
    previous = message.at
    return { message, stamped }
  })
}
