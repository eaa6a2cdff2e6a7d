import type { Chosen } from './types'

/** What an input of files holds. */
export function listed(files: FileList | null): Chosen[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

function fileOf(entry: FileSystemFileEntry): Promise<File | null> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)))
}

/** Browsers give the entries of a folder some at a time; none is the end. */
function someOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve) => reader.readEntries(resolve, () => resolve([])))
}

async function walk(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  if (entry.isFile) {
    const file = await fileOf(entry as FileSystemFileEntry)
    if (file) found.push({ path: entry.fullPath.replace(/^\//, ''), file })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (let some = await someOf(reader); some.length; some = await someOf(reader)) {
    for (const one of some) await walk(one, found)
  }
}

/** What was dropped on the page: files, and folders with all that is below them. */
export async function filesOf(transfer: DataTransfer): Promise<Chosen[]> {
  // The list is empty once anything was waited for: the entries are taken first.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  const found: Chosen[] = []
  for (const entry of entries) await walk(entry, found)
  return found
}
