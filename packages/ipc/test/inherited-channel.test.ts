import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { streamChannel } from '../src/index.ts'

const index = new URL('../src/index.ts', import.meta.url).href

// Keeps all messages and then echoes them. Takes long for each: every turn of its event loop ends with messages left in the last chunk.
const program = `import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
const kept = []
let turns = 0
const turn = () => { turns++; setImmediate(turn).unref() }
turn()
channel.open({
  message(bytes) {
    const until = performance.now() + 1
    while (performance.now() < until);
    kept.push(bytes)
    if (kept.length === 300) for (const message of kept) channel.send(message)
  },
  closed(error) {
    process.stdout.write(JSON.stringify({ error: error?.message ?? null, turns }))
  },
})`

test('an inherited socket carries messages of all sizes, in turns, and they may be kept', async () => {
  const child = spawn(process.execPath, ['--conditions=@confine/source', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const channel = streamChannel(child.stdio[3] as Duplex)
  const messages = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + ((i * 7919) % (i % 10 === 0 ? 200_000 : 500)), i))
  const echoes: Buffer[] = []
  const all = Promise.withResolvers<void>()
  channel.open({
    message(bytes) {
      echoes.push(Buffer.from(bytes))
      if (echoes.length === messages.length) all.resolve()
    },
    closed: (error) => all.reject(error ?? new Error('closed')),
  })
  for (const message of messages) channel.send(message)
  await all.promise
  expect(echoes.every((echo, index) => echo.equals(messages[index] as Buffer))).toBe(true)
  channel.close()
  const [report] = await once(child.stdout as Duplex, 'data')
  const { error, turns } = JSON.parse(String(report))
  expect(error).toBeNull()
  // 300 ms of work at 20 ms a turn.
  expect(turns).toBeGreaterThan(5)
})
