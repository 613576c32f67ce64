import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { GuestOutput } from '../src/guest-output.ts'
import { sandbox } from './support.ts'

test('what the guest writes is a stream, to its last word', async () => {
  const sbx = sandbox({ maxContainers: 1 })
  const [stdout, stderr] = [text(sbx.stdout), text(sbx.stderr)]
  await sbx.execContainer({
    source: `process.stdout.write('x'.repeat(300_000) + 'end', () => { process.stderr.write('oops'); exit(0) })`,
  })
  expect((await stdout).length).toBe(300_003)
  expect(await stderr).toContain('oops')
  // Asked for when all is over, it is over.
  expect(await text(sbx.stdout)).toBe('')
})

test('a reader that takes nothing holds the guest back, and loses nothing', async () => {
  const sbx = sandbox({ maxContainers: 1 })
  const { stdout } = sbx
  const container = await sbx.execContainer({
    source: `exports.write = () => process.stdout.write('y'.repeat(5_000_000), () => { exports.isWritten = true }); exports.isDone = () => exports.isWritten === true`,
  })
  const written = container.call('write').catch(() => {})
  // Node writes to a pipe synchronously: the guest stands still meanwhile, and the host holds no more than its bound.
  await new Promise((resolve) => stdout.once('readable', resolve))
  expect(stdout.readableLength).toBeLessThan(512 * 1024)
  let length = 0
  for await (const chunk of stdout) {
    length += (chunk as Buffer).length
    if (length === 5_000_000) break
  }
  await written
  expect(await container.call('isDone')).toBe(true)
  // Destroyed by the loop's end: nothing is kept, and nobody waits.
  await container.call('write')
  expect(stdout.destroyed).toBe(true)
})

test('a full output waits until it is read, destroyed or over', async () => {
  const output = new GuestOutput()
  expect(output.write(Buffer.alloc(1e6))).toBeUndefined()
  const { stream } = output
  const waiting = output.write(Buffer.alloc(1e6))
  expect(waiting).toBeInstanceOf(Promise)
  stream.read()
  await waiting
  const destroyed = output.write(Buffer.alloc(1e6))
  stream.destroy()
  await destroyed
  expect(output.write(Buffer.alloc(1e6))).toBeUndefined()
  const other = new GuestOutput()
  void other.stream
  const over = other.write(Buffer.alloc(1e6))
  other.end()
  await over
})
