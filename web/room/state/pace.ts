/**
 * Sends the last of what is put in: at once where nothing was sent lately, else as soon as `leastMs` have passed, and again
 * after `mostMs` of silence.
 */
export function createPace(send: (text: string) => void, leastMs: number, mostMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = ''
  let sentAt = -Infinity

  function say() {
    sentAt = performance.now()
    send(last)
    wait(mostMs)
  }

  function wait(ms: number) {
    clearTimeout(timer)
    timer = setTimeout(say, ms)
  }

  return {
    put(text: string) {
      last = text
      wait(Math.max(0, sentAt + leastMs - performance.now()))
    },
    stop: () => clearTimeout(timer),
  }
}
