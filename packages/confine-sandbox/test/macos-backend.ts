import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IsolationBackend } from '@confine-sandbox/contract'
import { macos, type MacosOptions } from '@confine-sandbox/isolation-macos'

/** Whether these tests run on the real thing. */
export const isMac = process.platform === 'darwin'

/** A file that stands in for a program of macOS. */
export const standIn = (name: string) => fileURLToPath(new URL(`../../isolation-macos/test/stand-in/${name}`, import.meta.url))

/** The stand-in that reads the profile as a Mac would, which takes it a node. */
export const thorough: MacosOptions = isMac ? {} : { sandboxExec: standIn('sandbox-exec') }

/** An empty directory, for guests to stand in. */
export function emptyDirectory(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'confine empty ')))
  return { path, remove: () => rmSync(path, { recursive: true }) }
}

/** The macOS backend: on a Mac as it is, elsewhere with a stand-in for sandbox-exec, which confines nothing. */
export function macosBackend(directory: string, options: MacosOptions = {}): IsolationBackend {
  if (isMac) return macos(options)
  return macos({
    platform: 'darwin',
    sandboxExec: standIn('sandbox-exec-quick'),
    emptyDirectory: directory,
    maxProcesses: 4096,
    ...options,
  })
}
