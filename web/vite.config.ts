import { readdirSync } from 'node:fs'
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
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src http: https: data: blob:',
  'frame-src http: https:',
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

const contentPolicy: Plugin = {
  name: 'content-policy',
  apply: 'build', // the development server needs inline scripts and a web socket
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
  ],
}

export default defineConfig({
  // Relative addresses, so that the pages work wherever a server mounts them.
  base: './',
  plugins: [vue(), contentPolicy],
  build: { target: 'es2022', rollupOptions: { input: pages } },
  server: { host: '127.0.0.1', proxy: { '/api': sandbox } },
  test: { include: ['{shared,phones}/**/*.test.ts'], environment: 'node' },
})
