import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { guestCode, takesCode } from '../src/guest-code.ts'

function bundle(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'guest.cjs')
  writeFileSync(path, text)
  return path
}

const codeOf = (path?: string) => Buffer.from(guestCode({ runtime: { bundle: path } } as never))
const lengths = (message: Buffer) => [message.readUInt32LE(0), message.readUInt32LE(4)]

test('what V8 knows of the texts of a guest is found out once, and again for a file that was changed', () => {
  const path = bundle('exports.first = () => 1')
  const first = guestCode({ runtime: { bundle: path } } as never)
  expect(guestCode({ runtime: { bundle: path } } as never)).toBe(first)
  // Of the same length: V8 would take the one for the other.
  writeFileSync(path, 'exports.other = () => 2')
  utimesSync(path, 1, 1)
  expect(guestCode({ runtime: { bundle: path } } as never)).not.toBe(first)
})

test('a message says how long its parts are, also where there is one only, or a file is missing', () => {
  const [program, runtime] = lengths(codeOf(bundle('exports.a = 1'))) as [number, number]
  expect(program).toBeGreaterThan(1000)
  expect(runtime).toBeGreaterThan(100)
  expect(lengths(codeOf())).toEqual([program, 0])
  expect(codeOf('/no/such/file.cjs')).toEqual(Buffer.alloc(8))
  expect(lengths(codeOf(bundle('no program {')))).toEqual([0, 0])
})

test('guests that could not use it get none', () => {
  const inherited = { transport: 'inherited', policy: { hardened: false } }
  expect(takesCode(inherited as never)).toBe(true)
  expect(takesCode({ ...inherited, policy: { hardened: true } } as never)).toBe(false)
  for (const transport of ['unix', 'tcp']) expect(takesCode({ ...inherited, transport } as never)).toBe(false)
})
