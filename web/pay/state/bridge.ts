import { text } from '../../shared/raw'
import type { PayOrder } from './types'

/** What WeChat puts into a page that it shows (pay.weixin.qq.com, JSAPI调起支付). */
interface WeixinJSBridge {
  invoke(name: string, fields: PayOrder, done: (answer: { err_msg?: unknown }) => void): void
}

/** `nowhere`: the page is not open in WeChat. What `paid` says is the page's word alone: the server is asked what counts. */
export type Outcome = 'paid' | 'cancelled' | 'failed' | 'nowhere'

const READY = 'WeixinJSBridgeReady'
const PATIENCE_MS = 3000

function present(): WeixinJSBridge | undefined {
  return (window as { WeixinJSBridge?: WeixinJSBridge }).WeixinJSBridge
}

/** WeChat may put it in after the page has loaded. */
function bridge(): Promise<WeixinJSBridge | undefined> {
  const here = present()
  if (here) return Promise.resolve(here)
  return new Promise((resolve) => {
    const end = setTimeout(() => resolve(present()), PATIENCE_MS)
    document.addEventListener(READY, () => {
      clearTimeout(end)
      resolve(present())
    }, { once: true })
  })
}

/** Opens WeChat's payment sheet, and says how the person left it. */
export async function openSheet(order: PayOrder): Promise<Outcome> {
  const weixin = await bridge()
  if (!weixin) return 'nowhere'
  return new Promise((resolve) => {
    weixin.invoke('getBrandWCPayRequest', order, (answer) => {
      const said = text(answer.err_msg)
      if (said === 'get_brand_wcpay_request:ok') resolve('paid')
      else resolve(said === 'get_brand_wcpay_request:cancel' ? 'cancelled' : 'failed')
    })
  })
}
