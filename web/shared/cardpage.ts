import { onMounted, ref, shallowRef } from 'vue'
import { ApiError } from './http'
import { leaveForWeChat, tokenOfTab } from './login'

const UNAUTHORISED = 401
const FORBIDDEN = 403
const NOT_FOUND = 404

/** `opening`: it is not known yet what there is to show; `notice`: nothing can be shown, and a sentence says why. */
export type Phase = 'opening' | 'page' | 'notice'

export interface CardPageOptions<Client, Content> {
  /** Under which this tab keeps the bearer token. */
  prefix: string
  /** What is said where nothing is known of why it did not open. */
  trouble: string
  /** What is said to whoever may not see it; the server answers alike where there is nothing. */
  missing: string
  /** What is said instead of the server's own words to whoever may not do what the page is for. */
  forbidden?: string
  /** What asks the server, as the person who holds the token. */
  connect: (token: string) => Client
  /** Reads what the page shows. */
  read: (client: Client) => Promise<Content>
}

/** The identifier that stands after `folder` in the address of this page; '' where there is none. */
export function idInAddress(folder: string): string {
  return new RegExp(`/h5/${folder}/([0-9a-f]{32})/?$`).exec(location.pathname)?.[1] ?? ''
}

/**
 * Asks WeChat again who opens the page where `error` says that its session is over. Tells whether the page leaves for that.
 * Raises ApiError where WeChat cannot be asked.
 */
async function asksWhoItIs(error: unknown): Promise<boolean> {
  if (!(error instanceof ApiError && error.status === UNAUTHORISED)) return false
  await leaveForWeChat()
  return true
}

/** As `asksWhoItIs`, for whoever goes on by themselves where WeChat cannot be asked. */
export async function leaves(error: unknown): Promise<boolean> {
  return asksWhoItIs(error).catch(() => false)
}

/** Whether the session of the page is over, so that what is shown cannot be kept up. */
export function isOver(error: unknown): boolean {
  return error instanceof ApiError && error.status === UNAUTHORISED
}

/** How a page that a card opens learns who opens it, reads what it shows, and says what is wrong. It starts with its component. */
export function useCardPage<Client, Content>({ prefix, trouble, missing, forbidden, connect, read }: CardPageOptions<Client, Content>) {
  const phase = ref<Phase>('opening')
  const notice = ref('')
  const client = shallowRef<Client | null>(null)
  const content = shallowRef<Content | null>(null)
  let asked = 0

  function sentence(error: unknown): string {
    if (!(error instanceof ApiError)) return trouble
    if (error.status === NOT_FOUND) return missing
    return (error.status === FORBIDDEN && forbidden) || error.message
  }

  /** Asks again who opens the page where its session is over; says what is wrong otherwise. */
  async function fail(error: unknown) {
    try {
      if (await asksWhoItIs(error)) return
      notice.value = sentence(error)
    } catch (second) {
      notice.value = sentence(second)
    }
    phase.value = 'notice'
  }

  /** Reads anew; an answer that a later question has overtaken is not shown. Raises ApiError. */
  async function refresh() {
    if (!client.value) return
    const mine = ++asked
    const found = await read(client.value)
    if (mine === asked) content.value = found
  }

  /** Shows what came another way; answers that are under way are older. */
  function show(found: Content) {
    asked++
    content.value = found
  }

  async function start() {
    phase.value = 'opening'
    try {
      const token = await tokenOfTab(prefix)
      if (!token) return
      client.value = connect(token)
      await refresh()
      phase.value = 'page'
    } catch (error) {
      await fail(error)
    }
  }

  onMounted(start)
  return { phase, notice, client, content, start, fail, refresh, show }
}
