/**
 * Plays the WeixinJSBridge that WeChat puts into the pages that it shows: hands each call to the phone around the frame.
 * Served with pages in a local WeChat alone; there a frame has the name of its phone. In any other window it does nothing.
 */
;(() => {
  const { phone } = document.currentScript.dataset
  if (window.parent === window || !window.name.startsWith('wechat:')) return
  const waiting = new Map()
  let last = 0

  window.addEventListener('message', (event) => {
    if (event.origin !== phone || event.source !== window.parent) return
    const { id, answer } = event.data ?? {}
    const done = waiting.get(id)
    waiting.delete(id)
    if (done) done(answer)
  })

  window.WeixinJSBridge = {
    invoke(name, fields, done = () => {}) {
      waiting.set(++last, done)
      window.parent.postMessage({ weixin: name, id: last, fields: { ...fields } }, phone)
    },
  }
  document.dispatchEvent(new Event('WeixinJSBridgeReady'))
})()
