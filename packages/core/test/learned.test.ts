import { cpSync, appendFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { guestCode } from '../src/guest-code.ts'
import { bytes, notice, shellGuest } from './shell-guest.ts'
import { fixture, sandbox } from './support.ts'

const start = async (runtimePath = fixture('learning-runtime')) => {
  const sbx = sandbox({ runtimePath })
  return await sbx.execContainer({ source: '' })
}

test('what the second guest learned before its first program is given to those after it, and only asked for', async () => {
  const containers = [await start(), await start()]
  expect(await Promise.all(containers.map((container) => container.call('given')))).toEqual([undefined, undefined])
  // Its own program; nobody else's.
  const third = await start()
  expect(await third.call('given')).toBe('1 ran')
  // Once a program is there, the guest's word of it is a breach: also that of the one which was asked.
  for (const container of [...containers, third]) {
    await expect(container.call('given', ['forge'])).rejects.toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
  }
  expect(await (await start()).call('given')).toBe('1 ran')
})

/** The same runtime with something added, in a place of its own. */
function learningRuntime(addition: string): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-test-')))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  cpSync(fixture('learning-runtime'), directory, { recursive: true })
  appendFileSync(join(directory, 'guest.cjs'), addition)
  return directory
}

test.each([
  ['throws', '() => { throw new Error("nothing") }'],
  ['gives no bytes', '() => "bytes"'],
  ['promises them', 'async () => Buffer.from("bytes")'],
  ['gives too many', '() => new Uint8Array(4 * 2 ** 20 + 1)'],
  ['shares them', '() => new Uint8Array(new SharedArrayBuffer(5))'],
])('where learned() %s, no guest is worse off', async (how, learned) => {
  const runtime = learningRuntime(`module.exports.learned = ${learned}`)
  const given: unknown[] = []
  for (let i = 0; i < 3; i++) given.push(await (await start(runtime)).call('given'))
  expect(given).toEqual([undefined, undefined, how === 'shares them' ? '\0'.repeat(5) : undefined])
})

test('what is left of the rehearsal does not speak for the program that comes after it', async () => {
  const runtime = learningRuntime(`
    const { run } = module.exports.prototype
    let first
    Object.assign(module.exports.prototype, {
      async run() {
        first ??= this
        await run.call(this)
      },
      async handleAPICall() {
        first.emit('runtime-error', new Error('Of another program'))
        return first === this
      },
    })`)
  await start(runtime)
  const sbx = sandbox({ runtimePath: runtime })
  const errors: unknown[] = []
  sbx.on('container-runtime-error', ({ error }) => errors.push(error))
  const container = await sbx.execContainer({ source: '' })
  expect(await container.call('given')).toBe(false)
  expect(errors).toEqual([])
})

test('a runtime that can be prepared only once says so, and keeps nobody in doubt', async () => {
  const runtime = learningRuntime(`
    let isPrepared = false
    module.exports.prepare = () => {
      if (isPrepared) throw new Error('Once is enough')
      isPrepared = true
    }`)
  await start(runtime)
  await expect(start(runtime)).rejects.toMatchObject({
    code: 'ERR_CONFINE_RUNTIME_INVALID',
    message: expect.stringContaining('prepare() failed: Once is enough'),
  })
})

test('a runtime that never comes to the end of its rehearsal is told so', async () => {
  const runtime = learningRuntime(`
    module.exports.prepare = () => {}
    module.exports.prototype.handleAPICall = () => new Promise(() => {})`)
  // So slow is no machine that it does not even begin in the last of them.
  for (const startTimeoutMs of [400, 1600, 6400, 25_600]) {
    const error = await sandbox({ runtimePath: runtime, standby: true, startTimeoutMs })
      .init()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', end: { kind: 'timeout', timeoutMs: startTimeoutMs } })
    if (String(error).includes('did not come to the end of a rehearsal')) return
  }
  expect.unreachable('nobody was told')
})

const learned = notice('learned', bytes(1), bytes(2, 2), bytes(3, 3, 3))
const ready = notice('ready')
const noWalls = { files: [], network: [], processes: [], privileges: [], syscalls: [] }

test.each([
  ['before it is ready', [learned, ready], 'cat $1 >&3', {}, undefined],
  ['in pieces of one byte', [learned, ready], 'dd if=$1 bs=1 >&3 2>/dev/null', {}, undefined],
  ['behind the word that opens the gate, in the same breath', [ready, learned], 'cat $1 >&3', {}, 'protocol'],
  ['twice', [learned, learned, ready], 'cat $1 >&3', {}, 'protocol'],
  ['and is gone before it is ready', [learned], 'cat $1 >&3; exit 3', {}, 'exited'],
  ['and lacks its walls', [learned, ready], 'cat $1 >&3', { holds: { layers: ['a'], walls: noWalls } }, 'setup-failed'],
])('a guest that tells what V8 learned %s', async (_how, words, script, more, end) => {
  const runtimePath = learningRuntime('')
  const isolation = shellGuest(`${script}; exec sleep 1000`, [Buffer.concat(words)], more)
  // The first that is made ahead is asked.
  const sbx = sandbox({ runtimePath, noSandbox: false, isolation, standby: true })
  const known = () => Buffer.from(guestCode(sbx.opts)).readUInt32LE(8)
  if (end === undefined) {
    await sbx.init()
    expect(known()).toBe(3)
    return
  }
  // The gate may have opened in front of what ends it.
  await sbx.init().catch(() => {})
  await sbx.whenGuestProcessClosed
  expect(sbx.guestEnd).toMatchObject({ kind: end })
  expect(known()).toBe(0)
})
