import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { askForCode, guestCode, takesCode } from '../src/guest-code.ts'

function bundle(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'guest.cjs')
  writeFileSync(path, text)
  return path
}

const options = (path?: string, standby = false) =>
  ({ transport: 'inherited', policy: { hardened: false }, standby, runtime: { bundle: path } }) as never
const codeOf = (path?: string) => Buffer.from(guestCode({ runtime: { bundle: path } } as never))
const lengths = (message: Buffer) => [0, 4, 8].map((place) => message.readUInt32LE(place))

test('what V8 knows of the texts of a guest is found out once, and again for a file that was changed', () => {
  const path = bundle('exports.first = () => 1')
  const first = guestCode({ runtime: { bundle: path } } as never)
  expect(guestCode({ runtime: { bundle: path } } as never)).toBe(first)
  // Of the same length: V8 would take the one for the other.
  writeFileSync(path, 'exports.other = () => 2')
  utimesSync(path, 1, 1)
  expect(guestCode({ runtime: { bundle: path } } as never)).not.toBe(first)
})

test('a file that was written over in its place, and says that it is as old as before, is another', async () => {
  const path = bundle('exports.first = () => 1')
  utimesSync(path, 1, 1)
  const first = guestCode(options(path))
  const { ctimeNs } = statSync(path, { bigint: true })
  const writeOver = () => {
    writeFileSync(path, 'exports.other = () => 2')
    utimesSync(path, 1, 1)
    return statSync(path, { bigint: true }).ctimeNs
  }
  // The clock of a file system may stand still for some milliseconds.
  await expect.poll(writeOver).not.toBe(ctimeNs)
  expect(guestCode(options(path))).not.toBe(first)
})

test('what was learned of a file that is gone is dropped, and nobody is blamed', () => {
  const path = bundle('exports.a = 1')
  const place = askForCode(options(path, true))
  rmSync(path)
  place?.give(answer)
  place?.keep()
  expect(lengths(Buffer.from(guestCode(options(path))))).toEqual([0, 0, 0])
})

test('of many runtimes those that were started last are known', () => {
  const paths = Array.from({ length: 33 }, (_, index) => bundle(`exports.a = ${index}`))
  const [first, second] = paths as [string, string]
  const messages = paths.slice(0, 32).map((path) => guestCode(options(path)))
  expect(guestCode(options(first))).toBe(messages[0])
  guestCode(options(paths[32]))
  expect(guestCode(options(first))).toBe(messages[0])
  expect(guestCode(options(second))).not.toBe(messages[1])
})

test('a message says how long its parts are, also where there is one only, or a file is missing', () => {
  const [program, runtime] = lengths(codeOf(bundle('exports.a = 1'))) as [number, number]
  expect(program).toBeGreaterThan(1000)
  expect(runtime).toBeGreaterThan(100)
  expect(lengths(codeOf())).toEqual([program, 0, 0])
  expect(codeOf('/no/such/file.cjs')).toEqual(Buffer.alloc(12))
  expect(lengths(codeOf(bundle('no program {')))).toEqual([0, 0, 0])
})

test('guests that could not use it get none', () => {
  const inherited = { transport: 'inherited', policy: { hardened: false } }
  expect(takesCode(inherited as never)).toBe(true)
  expect(takesCode({ ...inherited, policy: { hardened: true } } as never)).toBe(false)
  for (const transport of ['unix', 'tcp']) expect(takesCode({ ...inherited, transport } as never)).toBe(false)
})

const answer = [Buffer.alloc(3), Buffer.alloc(4), undefined]

test('the second guest of a runtime is asked what V8 learned, and again a later one where no answer came', () => {
  const path = bundle('exports.a = 1')
  const asked = Array.from({ length: 20 }, () => askForCode(options(path)) !== undefined)
  expect(asked.flatMap((isAsked, index) => (isAsked ? [index + 1] : []))).toEqual([2, 18])
})

test('of guests that are made ahead the first one is asked', () => {
  const path = bundle('exports.a = 1')
  expect([1, 2, 3].map(() => askForCode(options(path, true)) !== undefined)).toEqual([true, false, false])
})

test('what was learned is sent from then on, and nobody is asked any more', () => {
  const path = bundle('exports.a = 1')
  askForCode(options(path))
  const place = askForCode(options(path))
  expect(lengths(Buffer.from(guestCode(options(path))))).not.toEqual([3, 4, 0])
  place?.give(answer)
  // Not yet: the guest that told it may turn out to be none.
  expect(lengths(Buffer.from(guestCode(options(path))))).not.toEqual([3, 4, 0])
  place?.keep()
  expect(lengths(Buffer.from(guestCode(options(path))))).toEqual([3, 4, 0])
  expect(Array.from({ length: 40 }, () => askForCode(options(path))).filter((place) => place !== undefined)).toEqual([])
  expect(() => place?.give(answer)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
})

test('what was learned of a file that was changed meanwhile is dropped', () => {
  const path = bundle('exports.a = 1')
  askForCode(options(path))
  const place = askForCode(options(path))
  utimesSync(path, 1, 1)
  place?.give(answer)
  place?.keep()
  expect(lengths(Buffer.from(guestCode(options(path))))).not.toEqual([3, 4, 0])
})

test.each([
  ['text', ['code']],
  ['a number', [undefined, 5]],
  ['too much', [undefined, undefined, Buffer.alloc(5 * 2 ** 20)]],
])('%s is no code', (_what, parts) => {
  const place = askForCode(options(bundle('exports.a = 1'), true))
  expect(() => place?.give(parts)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
})

test('guests of runtimes without a bundle are not asked, nor those that take no code', () => {
  expect(askForCode(options(undefined, true))).toBeUndefined()
  expect(askForCode({ ...(options(bundle('exports.a = 1'), true) as object), transport: 'unix' } as never)).toBeUndefined()
  expect(askForCode(options('/no/such/file.cjs', true))).toBeUndefined()
})
