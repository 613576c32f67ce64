import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { codeMessage } from '../src/read-code.ts'

const index = JSON.stringify(new URL('../src/read-code.ts', import.meta.url).href)
const reader = `import { readCode } from ${index}
  import { readSync, writeSync } from 'node:fs'
  const { program, runtime, own } = readCode(3)
  const rest = Buffer.alloc(100)
  const length = readSync(3, rest)
  writeSync(1, JSON.stringify([program?.toString('latin1').length, runtime?.toString(), own?.toString(), rest.toString('latin1', 0, length)]))`

function start() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', reader], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  return { child, socket: child.stdio[3] as Duplex, said: once(child.stdout as Duplex, 'data').then(([text]) => JSON.parse(String(text))) }
}

test('its parts are taken, and nothing of what follows', async () => {
  const { socket, said } = start()
  socket.write(
    Buffer.concat([
      codeMessage({ program: Buffer.alloc(1_000_000, 'p'), runtime: Buffer.from('r'), own: Buffer.from('o') }),
      Buffer.from('next'),
    ]),
  )
  expect(await said).toEqual([1_000_000, 'r', 'o', 'next'])
})

test('it may come in pieces, and be empty', async () => {
  const { socket, said } = start()
  for (const byte of codeMessage({ runtime: Buffer.from('run') })) {
    socket.write(Buffer.of(byte))
    await delay(1)
  }
  await delay(20)
  socket.write('next')
  expect(await said).toEqual([null, 'run', null, 'next'])
})

test('it is waited for on a socket that does not block, as one that another process accepted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const server = createServer().listen(join(directory, 'socket'))
  const near = connect(join(directory, 'socket'))
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  const announced = `import { writeFileSync } from 'node:fs'; writeFileSync(1, 'reads '); ${reader}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', announced], { stdio: ['ignore', 'pipe', 'inherit', far] })
  far.destroy()
  const output = child.stdout as Duplex
  expect(String((await once(output, 'data'))[0])).toBe('reads ')
  const message = codeMessage({ runtime: Buffer.from('run') })
  for (const piece of [message.subarray(0, 5), message.subarray(5, 13), Buffer.concat([message.subarray(13), Buffer.from('next')])]) {
    await delay(20)
    near.write(piece)
  }
  expect(JSON.parse(await text(output))).toEqual([null, 'run', null, 'next'])
  near.destroy()
})

test.each([
  ['before it', 0],
  ['within the lengths', 5],
  ['within a part', 16],
])('a host that is gone %s ends the process', async (_name, length) => {
  const { child, socket, said } = start()
  said.catch(() => {})
  socket.end(codeMessage({ program: Buffer.from('program') }).subarray(0, length))
  expect(await once(child, 'exit')).toEqual([1, null])
})
