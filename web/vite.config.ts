import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Every `<name>.html` beside this file is a page of its own: a new page joins by adding its HTML file and folder. */
const pages = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.html'))
    .map((file) => [file.replace('.html', ''), `${import.meta.dirname}/${file}`]),
)

const sandbox = process.env.QIAOYI_SANDBOX_URL ?? 'http://127.0.0.1:8090'

/** The pages load and call nothing but their own server; pictures and web-views in a chat may come from elsewhere. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'connect-src': "'self'",
  'img-src': 'http: https: data: blob:',
  'frame-src': 'http: https:',
  'base-uri': "'none'",
  'form-action': "'self'",
}

/** Pages that a card opens: shown in no frame of others, playing what they are sent. */
const CARD_POLICY = { ...POLICY, 'media-src': "'self'", 'img-src': "'self' data: blob:", 'frame-src': "'none'", 'base-uri': "'self'" }

/** The viewer decodes in workers; what WebAssembly there is runs in them, not in the page. */
const VIEWER_POLICY = { ...CARD_POLICY, 'worker-src': "'self'" }

/**
 * The room page talks to the media process that carries its room, which may be another host, plays what it sends, and shows
 * images as the viewer does.
 */
const ROOM_POLICY = { ...VIEWER_POLICY, 'connect-src': "'self' ws: wss:", 'media-src': "'self' blob: mediastream:" }

/** The console loads and asks nothing but its own server, and keeps no picture but what it was answered. */
const CONSOLE_POLICY = { ...POLICY, 'img-src': "'self' data: blob:", 'frame-src': "'none'", 'base-uri': "'self'" }

const CARD_PAGES: Record<string, { policy: Record<string, string>; scheme?: string }> = {
  '/room.html': { policy: ROOM_POLICY },
  '/recordings.html': { policy: CARD_POLICY },
  '/viewer.html': { policy: VIEWER_POLICY, scheme: 'dark' },
  '/report.html': { policy: CARD_POLICY },
  '/history.html': { policy: CARD_POLICY },
  '/studies.html': { policy: CARD_POLICY },
  '/prescription.html': { policy: CARD_POLICY },
  '/pay.html': { policy: CARD_POLICY },
  '/console.html': { policy: CONSOLE_POLICY, scheme: 'light' },
}

/** These are served at addresses of several depths, their assets at one: they say themselves where those are. */
const CARD_BASE = '/h5/'

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'%3E%3Crect width='40' height='40' rx='9' fill='%230c8f6c'/%3E%3Cpath d='M5 27c6-13 24-13 30 0M5 27h30M13 20v7m7-10v10m7-7v7' fill='none' stroke='%23fff' stroke-width='2.6' stroke-linecap='round'/%3E%3C/svg%3E"

/** Seen while a page loads, and for good where the browser is too old to read it. */
const loading = (opening: string) =>
  `<div id="app"><p>${opening} 如果一直停在这里，请把微信更新到最新版，或者换一台手机、电脑打开。</p></div>\n    <noscript>请打开浏览器的 JavaScript，再看这个页面。</noscript>`

/** What the pages that a card opens have in common around what each is for. */
const cardHead: Plugin = {
  name: 'card-head',
  transformIndexHtml(html, { path }) {
    const page = CARD_PAGES[path]
    if (!page) return html
    const named = { viewport: 'width=device-width, initial-scale=1, viewport-fit=cover', 'color-scheme': page.scheme ?? 'light dark', referrer: 'no-referrer', 'format-detection': 'telephone=no' }
    const metas = Object.entries(named).map(([name, content]) => ({ tag: 'meta', attrs: { name, content } }))
    return {
      html: html.replace(/<div id="app" data-opening="([^"]*)"><\/div>/, (_whole, opening: string) => loading(opening)),
      tags: [{ tag: 'meta', attrs: { charset: 'UTF-8' } }, ...metas, { tag: 'link', attrs: { rel: 'icon', href: ICON } }],
    }
  },
}

const pageHead: Plugin = {
  name: 'page-head',
  apply: 'build', // the development server needs inline scripts and a web socket, and serves at its root
  transformIndexHtml: (_html, { path }) => {
    const opened = CARD_PAGES[path]
    const policy = Object.entries(opened?.policy ?? POLICY).map((parts) => parts.join(' ')).join('; ')
    const meta = { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' } as const
    return opened ? [meta, { tag: 'base', attrs: { href: CARD_BASE }, injectTo: 'head-prepend' }] : [meta]
  },
}

/** Each script, style and codec packed beside itself: the server gives that to whoever takes it, and packs nothing itself. */
const packed: Plugin = {
  name: 'packed',
  apply: 'build',
  async writeBundle({ dir = '' }, bundle) {
    const large = Object.keys(bundle).filter((name) => /\.(js|css|wasm)$/.test(name))
    await Promise.all(large.map(async (name) => writeFile(`${dir}/${name}.gz`, gzipSync(await readFile(`${dir}/${name}`), { level: 9 }))))
  },
}

export default defineConfig({
  // Relative addresses, so that the pages work wherever a server mounts them.
  base: './',
  plugins: [vue(), cardHead, pageHead, packed],
  worker: { format: 'es' },
  // Needs parts of Node, and nothing here needs it.
  resolve: { alias: { xmlbuilder2: `${import.meta.dirname}/viewer/render/noxml.ts` } },
  // The web views of older phones read no newer language.
  build: { target: ['es2020', 'chrome87', 'safari14'], rollupOptions: { input: pages } },
  server: { host: '127.0.0.1', proxy: { '/api': sandbox } },
  test: { include: ['{shared,console,phones,room,recordings,viewer,report,history,studies,prescription,pay}/**/*.test.ts'], environment: 'node' },
})
