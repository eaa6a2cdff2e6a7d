import { reactive } from 'vue'
import { get, sentenceOf, type Query } from './client'

interface Page<Row> {
  items: Row[]
  next_cursor: string
}

export interface Paged<Row> {
  items: Row[]
  cursor: string
  problem: string
  busy: boolean
  load: (more?: boolean) => Promise<void>
}

/** A list that is read page by page: `load()` begins anew, `load(true)` adds the next page. */
export function paged<Row>(path: string, query: () => Query): Paged<Row> {
  const list = reactive({ items: [] as Row[], cursor: '', problem: '', busy: false, load }) as Paged<Row>
  async function load(more = false): Promise<void> {
    list.busy = true
    list.problem = ''
    try {
      const page = await get<Page<Row>>(path, { ...query(), cursor: more ? list.cursor : '' })
      list.items = more ? [...list.items, ...page.items] : page.items
      list.cursor = page.next_cursor
    } catch (error) {
      list.problem = sentenceOf(error)
    } finally {
      list.busy = false
    }
  }
  return list
}
