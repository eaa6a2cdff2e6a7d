import { computed, inject, type InjectionKey, ref } from 'vue'
import { ApiError } from '../../shared/http'
import { safeUrl } from '../../shared/richtext'
import type { Phone, Store } from './store'

export type Tab = 'chats' | 'contacts' | 'discover' | 'me'
export type Page = Tab | 'chat' | 'profile' | 'scan'
export type Sheet = 'location' | 'voice' | 'unfollow' | 'notices' | null

const TOAST_MS = 2200

/** What one phone shows: its page, the pages behind it, and what lies on top. */
export function createScreen(phone: Phone, store: Store) {
  const stack = ref<Page[]>(phone.following ? ['chats', 'chat'] : ['profile'])
  const webView = ref<string | null>(null)
  const zoomed = ref<string | null>(null)
  const sheet = ref<Sheet>(null)
  const toastText = ref('')
  /** The scene of a code that was scanned before following: it goes along when the person follows. */
  const scannedScene = ref<string | undefined>()
  let toastTimer: ReturnType<typeof setTimeout> | undefined

  function toast(text: string) {
    clearTimeout(toastTimer)
    toastText.value = text
    toastTimer = setTimeout(() => (toastText.value = ''), TOAST_MS)
  }

  return {
    phone, store, webView, zoomed, sheet, toastText, scannedScene, toast,
    page: computed<Page>(() => stack.value.at(-1) ?? 'chats'),
    covered: computed(() => Boolean(webView.value || zoomed.value || sheet.value)),
    open(page: Page) {
      stack.value = [...stack.value.filter((one) => one !== page), page]
    },
    tab(page: Tab) {
      stack.value = [page]
    },
    back() {
      stack.value = stack.value.length > 1 ? stack.value.slice(0, -1) : ['chats']
    },
    chat() {
      stack.value = ['chats', 'chat']
    },
    /** Opens an address inside the phone; anything but http and https is refused. */
    openUrl(url: string | null | undefined) {
      const safe = safeUrl(url, location.href)
      if (safe) webView.value = safe
      else toast('这个链接打不开')
    },
    /** Runs one action of the person: a failure becomes a sentence on this phone. True when it worked. */
    async run(work: () => Promise<unknown>): Promise<boolean> {
      try {
        await work()
        return true
      } catch (error) {
        toast(error instanceof ApiError ? error.message : '没有成功，请再试一次')
        return false
      }
    },
  }
}

export type Screen = ReturnType<typeof createScreen>
export const screenKey: InjectionKey<Screen> = Symbol('screen')

export function useScreen(): Screen {
  const screen = inject(screenKey)
  if (!screen) throw new Error('the screen is provided by PhoneScreen')
  return screen
}
