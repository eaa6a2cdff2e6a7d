import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { clockText } from '../../shared/chinatime'
import { ApiError } from '../../shared/http'
import { openSheet, type Outcome } from './bridge'
import type { PayClient } from './client'
import type { Charge } from './types'

const UNAUTHORISED = 401
const LOOK_AGAIN_MS = 2000
const LOOKS = 10
const LONGEST_TIMER_MS = 2 ** 31 - 1

const UNKNOWN = '还没有查到付款结果。微信要是已经扣了钱，不用再付，我们会查到，再发消息告诉您。'
const NO_SHEET = '微信支付没有打开，没有扣您的钱，请再点一次。'
const SAID: Record<Exclude<Outcome, 'paid'>, string> = {
  cancelled: '您没有付，没有扣您的钱。',
  failed: '没有付成。微信要是已经扣了钱，不用再付，我们会查到。没有扣的话，可以再点一次。',
  nowhere: '这里打不开微信支付。请在微信里，从聊天中的“去付钱”打开这个页面。',
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Paying one charge: the server opens the order, WeChat asks for the password, and the server says what became of it.
 * `problem` is what the person reads where it did not go through; `failed` is called where the page cannot go on.
 */
export function usePaying(client: PayClient, first: Charge, failed: (error: unknown) => void) {
  const charge = shallowRef(first)
  const busy = ref<'' | 'opening' | 'checking'>('')
  const problem = ref('')
  const unknown = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  const deadline = computed(() => (charge.value.expiresAt ? clockText(charge.value.expiresAt) : ''))

  function show(found: Charge | null) {
    if (!found) return
    charge.value = found
    if (found.state !== 'payable') problem.value = '' // whatever went wrong before, this is what became of it
    clearTimeout(timer)
    // What was read can no longer be true when its time is over.
    const left = (found.expiresAt ?? 0) - Date.now()
    if (found.state === 'payable' && left > 0) timer = setTimeout(() => void guarded(async () => show(await client.read())), Math.min(left, LONGEST_TIMER_MS))
    if (found.state === 'asking') timer = setTimeout(() => void guarded(async () => show(await client.read())), LOOK_AGAIN_MS)
  }

  async function guarded(work: () => Promise<unknown>) {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === UNAUTHORISED) failed(error)
      else problem.value = error.message
    }
  }

  /** Asks until the server knows, or for as long as a person waits; a question that fails is asked again. */
  async function check() {
    busy.value = 'checking'
    problem.value = ''
    unknown.value = false
    await guarded(async () => {
      for (let look = 0; look < LOOKS && charge.value.state === 'payable'; look++) {
        if (look) await wait(LOOK_AGAIN_MS)
        show(await client.result().catch((error) => {
          if (error instanceof ApiError && error.status !== UNAUTHORISED) return null
          throw error
        }))
      }
      unknown.value = charge.value.state === 'payable'
      if (unknown.value) problem.value = UNKNOWN
    })
    busy.value = ''
  }

  async function pay() {
    busy.value = 'opening'
    problem.value = ''
    unknown.value = false
    let outcome: Outcome | undefined
    await guarded(async () => {
      const order = await client.prepay()
      if (!order) problem.value = NO_SHEET
      else outcome = await openSheet(order)
    })
    if (outcome === 'paid') return check()
    if (outcome) problem.value = outcome === 'cancelled' && deadline.value ? `${SAID.cancelled}约好的时间给您留到 ${deadline.value}，想付就再点一次。` : SAID[outcome]
    // Whatever the sheet or the first answer said: paid on another phone, closed, or over.
    await guarded(async () => show(await client.read()))
    busy.value = ''
  }

  show(first)
  onScopeDispose(() => clearTimeout(timer))
  return { charge, busy, problem, unknown, deadline, pay, check }
}
