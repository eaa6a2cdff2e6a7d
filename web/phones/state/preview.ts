import { toSegments } from '../../shared/richtext'
import type { Message, MessageOf } from './types'

function plain(text: string): string {
  return toSegments(text)
    .map((segment) => segment.text)
    .join('')
    .replace(/\s+/gu, ' ')
}

const previews: { [K in Message['kind']]: (message: MessageOf<K>) => string } = {
  text: (message) => plain(message.text),
  notice: (message) => plain(message.text),
  menu: (message) => plain(message.text),
  image: () => '[图片]',
  voice: (message) => `[语音] ${message.text}`.trim(),
  news: (message) => `[链接] ${message.articles[0]?.title ?? ''}`,
  template: (message) => message.title,
  subscribe: (message) => message.title,
  miniprogrampage: (message) => `[小程序] ${message.title}`,
  location: (message) => `[位置] ${message.label}`.trim(),
  unknown: () => '[暂不支持的消息]',
}

/** One line for the chat list and for screen readers. */
export function previewOf(message: Message): string {
  return (previews[message.kind] as (message: Message) => string)(message)
}

/** Everything a message says, for the live region: a menu with its choices, a card with its rows. */
export function spokenOf(message: Message): string {
  const head = previewOf(message)
  if (message.kind === 'menu') return [head, ...message.items.map((item) => item.text), message.tail].filter(Boolean).join('；')
  if (message.kind === 'template' || message.kind === 'subscribe') {
    return [head, ...message.fields.map((field) => `${field.label} ${field.value}`)].join('；')
  }
  return head
}
