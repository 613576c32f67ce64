import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfinedCommand, IsolationBackend } from '@confine-sandbox/contract'
import { onTestFinished } from 'vitest'

/** A message of fewer than 256 bytes, in its frame. */
export const frame = (...body: number[]): Buffer => Buffer.from([body.length, 0, 0, 0, ...body])
export const text = (string: string): number[] => [8, string.length, ...Buffer.from(string)]
export const bytes = (...content: number[]): number[] => [0x14, 0, content.length, ...content]
export const notice = (method: string, ...params: number[][]): Buffer => frame(4, 0, ...text(method), 11, params.length, ...params.flat())

/**
 * A shell in the place of the guest.
 * @param script Says, with `cat $1 >&3`, the first of the words; waits, reports and ends as it likes.
 */
export function shellGuest(script: string, words: readonly Buffer[], more: Partial<ConfinedCommand> = {}): IsolationBackend {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const files = words.map((content, index) => {
    const file = join(directory, String(index))
    writeFileSync(file, content)
    return file
  })
  return {
    name: 'shell',
    assess: () => ({ backend: 'shell', parts: {} as never, missing: [] }),
    confine: (): ConfinedCommand => ({
      file: '/bin/sh',
      args: ['-c', script, 'guest', ...files],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      descriptors: [],
      ...more,
    }),
  }
}
