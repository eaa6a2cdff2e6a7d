/** Where the page runs; every answer is the same as long as it is open. */
export const inWeChat = /MicroMessenger/i.test(navigator.userAgent)
export const isFramed = window.top !== window
export const isPhone = matchMedia('(pointer: coarse)').matches || /Android|iPhone|iPad|Mobile/i.test(navigator.userAgent)
export const canShareScreen = !isPhone && typeof navigator.mediaDevices?.getDisplayMedia === 'function'

/** Whether WeChat can be asked who opens the page: inside WeChat, and in the web view of the desk's phones. */
export const canAskWeChat = inWeChat || isFramed
