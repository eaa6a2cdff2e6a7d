import { computed, ref } from 'vue'
import { ROLE_ORDER, roleOf } from './roles'
import type { Phone, Store } from './store'

const KEY = 'qiaoyi.phones.shown'
const DEFAULT_COUNT = 3

function read(): string[] | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null
  } catch {
    return null // a private window without storage: the default order serves
  }
}

function write(openids: string[]) {
  try {
    localStorage.setItem(KEY, JSON.stringify(openids))
  } catch {
    // without storage the choice lasts until the page is closed
  }
}

/** One of each role first, then whoever comes. */
export function defaultPhones(list: readonly Phone[], count = DEFAULT_COUNT): Phone[] {
  const first = ROLE_ORDER.slice(0, 3).flatMap((role) => list.find((phone) => roleOf(phone) === role) ?? [])
  const rest = list.filter((phone) => !first.includes(phone))
  const chosen = [...first, ...rest].slice(0, count)
  return chosen.toSorted((a, b) => ROLE_ORDER.indexOf(roleOf(a)) - ROLE_ORDER.indexOf(roleOf(b)))
}

/** Which phones lie on the desk; kept in this browser. */
export function useShownPhones(store: Store) {
  const chosen = ref(read())
  const shown = computed(() => {
    const known = (chosen.value ?? []).flatMap((openid) => store.find(openid) ?? [])
    return known.length > 0 || chosen.value?.length === 0 ? known : defaultPhones(store.phones.list)
  })

  function set(openids: string[]) {
    chosen.value = openids
    write(openids)
  }

  return {
    shown,
    show: (openid: string) => set([...new Set([...shown.value.map((phone) => phone.openid), openid])]),
    /** Lays a phone in the place of the one with the same role, or beside the others where there is none. */
    swapIn(phone: Phone) {
      const place = shown.value.findIndex((one) => roleOf(one) === roleOf(phone))
      const openids = shown.value.map((one) => one.openid)
      set(place < 0 ? [...openids, phone.openid] : openids.with(place, phone.openid))
    },
    hide: (openid: string) => set(shown.value.map((phone) => phone.openid).filter((one) => one !== openid)),
  }
}

export type ShownPhones = ReturnType<typeof useShownPhones>
