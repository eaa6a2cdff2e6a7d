import { readdirSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/** Every `<name>.html` beside this file is a page of its own: a new page joins by adding its HTML file and folder. */
const pages = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.html'))
    .map((file) => [file.replace('.html', ''), `${import.meta.dirname}/${file}`]),
)

const sandbox = process.env.QIAOYI_SANDBOX_URL ?? 'http://127.0.0.1:8090'

export default defineConfig({
  // Relative addresses, so that the pages work wherever a server mounts them.
  base: './',
  plugins: [vue()],
  build: { target: 'es2022', rollupOptions: { input: pages } },
  server: { host: '127.0.0.1', proxy: { '/api': sandbox, '/media': sandbox } },
  test: { include: ['{shared,phones}/**/*.test.ts'], environment: 'node' },
})
