import { onScopeDispose, reactive } from 'vue'

const TRIES = 4
const GOOD_MS = 250
const USABLE_MS = 900

export type Way = 'asking' | 'good' | 'usable' | 'bad' | 'none'

const SENTENCES: Record<Way, string> = {
  asking: '正在看看网络…',
  good: '网络通畅。',
  usable: '网络有点慢，可能会先看不清。离路由器近一点会好些。',
  bad: '网络很慢，可能只能听到声音。请离路由器近一点，或者换用流量。',
  none: '连不上网络。请看看手机的网络是否打开。',
}

/** In plain words, from how long the server takes to answer (milliseconds, the middle of several). */
export function wayOf(times: number[]): Way {
  const sorted = Array.from(times)
  sorted.sort((a, b) => a - b)
  const middle = sorted[Math.floor(times.length / 2)]
  if (middle === undefined) return 'none'
  if (middle <= GOOD_MS) return 'good'
  return middle <= USABLE_MS ? 'usable' : 'bad'
}

/** Asks the server some times and says how the network is; again whenever the browser is online or offline. */
export function useSpeed(ask: () => Promise<unknown>) {
  const state = reactive({ way: 'asking' as Way, sentence: SENTENCES.asking })
  let run = 0

  async function check() {
    const mine = ++run
    const times: number[] = []
    for (let tried = 0; tried < TRIES; tried += 1) {
      const before = performance.now()
      await ask().then(() => times.push(performance.now() - before), () => undefined)
    }
    if (mine !== run) return
    const way = wayOf(times)
    Object.assign(state, { way, sentence: SENTENCES[way] })
  }

  const again = () => void check()
  window.addEventListener('online', again)
  window.addEventListener('offline', again)
  onScopeDispose(() => {
    run += 1
    window.removeEventListener('online', again)
    window.removeEventListener('offline', again)
  })
  again()
  return state
}
