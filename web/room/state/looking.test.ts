import { effectScope, nextTick, reactive, ref, type EffectScope } from 'vue'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLooking } from './looking'
import type { Room } from './room'

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

/** A page of the expert; `hear` is what the room says of the lead. */
async function page(hasImages: () => Promise<boolean> = () => Promise.resolve(true)) {
  const state = reactive({ you: 'expert', look: { leader: '', state: '' }, people: [{ person: 'expert' }, { person: 'doctor' }] })
  const entries = ref(1)
  const said: unknown[] = []
  const told: string[] = []
  const room = {
    state, entries, isHost: ref(true), nameOf: (person: string) => (person === 'doctor' ? '李建国' : '陈明远'),
    say: (message: unknown) => said.push(message), tell: (sentence: string) => told.push(sentence),
  }
  const looking = scope.run(() => createLooking(room as unknown as Room, hasImages)) as ReturnType<typeof createLooking>
  await vi.advanceTimersByTimeAsync(0)
  const hear = async (leader: string, text = '') => {
    state.look = { leader, state: text }
    await nextTick()
    await vi.advanceTimersByTimeAsync(0)
  }
  return { state, entries, said, told, looking, hear }
}

it('the images open by themselves for who is led, and stay closed for who closed them until the next lead', async () => {
  const { looking, hear } = await page()
  await hear('doctor', 'a')
  expect([looking.isOpen.value, looking.isFollowing.value]).toEqual([true, true])
  looking.close()
  await hear('doctor', 'b')
  expect(looking.isOpen.value).toBe(false)
  await hear('')
  await hear('doctor')
  expect(looking.isOpen.value).toBe(true)
})

it('studies that come during the call are found', async () => {
  const answers = [false, true]
  const { looking } = await page(() => Promise.resolve(answers.shift() ?? true))
  expect(looking.available.value).toBe(false)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(looking.available.value).toBe(true)
})

it('who may see nothing hears who looks, and no images open', async () => {
  const { looking, told, hear } = await page(() => Promise.reject(new Error('not found')))
  await hear('doctor')
  expect(told).toEqual(['李建国在看影像，您这里看不到，听着就好'])
  expect(looking.isOpen.value).toBe(false)
})

it('a leader who was away goes on, unless somebody else leads by then', async () => {
  const { looking, entries, said, told, hear } = await page()
  looking.lead()
  await hear('expert')
  entries.value += 1
  await hear('')
  expect(said).toEqual([{ kind: 'lead', on: true }, { kind: 'lead', on: true }])
  await hear('expert')
  entries.value += 1
  await hear('doctor')
  expect(said.length).toBe(2)
  expect(told).toEqual(['现在李建国来翻，您跟着看'])
  expect(looking.isFollowing.value).toBe(true)
})

it('who asked to lead while the connection was away asks again when it is back, once', async () => {
  const { looking, entries, said, hear } = await page()
  looking.lead()
  entries.value += 1
  await hear('')
  await hear('')
  expect(said).toEqual([{ kind: 'lead', on: true }, { kind: 'lead', on: true }])
})

it('a leader whom the room gave up hears it; one who stopped does not', async () => {
  const { looking, said, told, hear } = await page()
  looking.lead()
  await hear('expert')
  await hear('')
  expect(told).toEqual(['您的网络断过，大家不再跟着您看了'])
  looking.lead()
  await hear('expert')
  looking.close()
  await hear('')
  expect(said.at(-1)).toEqual({ kind: 'lead', on: false })
  expect(told.length).toBe(1)
})

it('the others hear how it ended', async () => {
  const { state, told, hear } = await page()
  await hear('doctor')
  await hear('')
  await hear('doctor')
  state.people = [{ person: 'expert' }]
  await hear('')
  expect(told).toEqual(['李建国带您看影像', '李建国不再带着看了，影像停在这里', '李建国带您看影像', '李建国离开了，影像停在这里'])
})
