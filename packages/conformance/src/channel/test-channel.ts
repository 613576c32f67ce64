import assert from 'node:assert/strict'
import type { Channel } from '@confine-sandbox/contract'
import { defaultPatienceMs, type TestFramework, within } from '../suite.ts'
import { listen } from './listener.ts'

/** A kind of channel, as the suite needs it. */
export interface ChannelSubject {
  /** A word or two for the name of the suite. */
  readonly name: string
  /** Makes two connected ends that nobody has opened yet. */
  pair(): Promise<readonly [Channel, Channel]> | readonly [Channel, Channel]
  /** How long to wait for what comes at once when it comes at all, milliseconds. @default 20,000 */
  readonly patienceMs?: number
}

/**
 * The suite that every channel must pass: whole messages, in order, in both directions, none lost before the receiver is
 * there or while the channel closes, and one end, told once and last.
 */
export function testChannel(subject: ChannelSubject, { describe, it }: TestFramework): void {
  const patienceMs = subject.patienceMs ?? defaultPatienceMs
  const pair = async () => {
    const [left, right] = await within(patienceMs, 'pair()', subject.pair())
    return { left, right, close: () => [left, right].map((channel) => channel.close()) }
  }

  describe(`channel ${subject.name}`, () => {
    it('carries whole messages in order, in both directions at once', async () => {
      const { left, right, close } = await pair()
      const [atLeft, atRight] = [listen(left, patienceMs), listen(right, patienceMs)]
      for (const [index, size] of sizes.entries()) {
        left.send(message(size, index))
        right.send(message(size, index + 100))
      }
      const [fromRight, fromLeft] = await Promise.all([atLeft.messages(sizes.length), atRight.messages(sizes.length)])
      for (const [index, size] of sizes.entries()) {
        assertSame(fromLeft[index], message(size, index), `message ${index} of ${size} bytes, left to right`)
        assertSame(fromRight[index], message(size, index + 100), `message ${index} of ${size} bytes, right to left`)
      }
      close()
    })

    it('keeps what was sent before the other end was opened', async () => {
      const { left, right, close } = await pair()
      left.send(message(3, 1))
      left.send(message(70_000, 2))
      await pause()
      const [first, second] = await listen(right, patienceMs).messages(2)
      assertSame(first, message(3, 1), 'the first message')
      assertSame(second, message(70_000, 2), 'the second message')
      close()
    })

    it('carries many small messages of one turn', async () => {
      const { left, right, close } = await pair()
      const heard = listen(right, patienceMs)
      for (let i = 0; i < 5000; i++) left.send(message(1 + (i % 7), i))
      const messages = await heard.messages(5000)
      for (const [i, given] of messages.entries()) assertSame(given, message(1 + (i % 7), i), `message ${i}`)
      close()
    })

    it('delivers nothing in the call that sends', async () => {
      const { left, right, close } = await pair()
      const heard = listen(right, patienceMs)
      left.send(message(5, 1))
      assert.equal(heard.count, 0, 'The message was delivered before send() returned: a peer would be called while it calls')
      await heard.messages(1)
      close()
    })

    it('sends what is queued when it closes, and tells both ends once, last and without an error', async () => {
      const { left, right } = await pair()
      const [atLeft, atRight] = [listen(left, patienceMs), listen(right, patienceMs)]
      left.send(message(200_000, 1))
      left.close()
      const [first] = await atRight.messages(1)
      assertSame(first, message(200_000, 1), 'what was sent before close()')
      for (const [end, heard] of [['far', atRight] as const, ['closing', atLeft] as const]) {
        assert.equal(await heard.closed, undefined, `The ${end} end was told an error although nothing went wrong`)
      }
      await pause()
      for (const heard of [atLeft, atRight]) heard.assertQuiet()
    })

    it('takes every call after its end, and does nothing', async () => {
      const { left, right } = await pair()
      const [atLeft, atRight] = [listen(left, patienceMs), listen(right, patienceMs)]
      left.close()
      left.close()
      left.send(message(5, 1))
      await Promise.all([atLeft.closed, atRight.closed])
      for (const channel of [left, right]) {
        channel.send(message(5, 2))
        channel.close()
      }
      await pause()
      assert.equal(atLeft.count + atRight.count, 0, 'A message was delivered although it was sent after close()')
      for (const heard of [atLeft, atRight]) heard.assertQuiet()
    })

    it('tells its end to who opens it late', async () => {
      const { left, right } = await pair()
      const atLeft = listen(left, patienceMs)
      left.close()
      await atLeft.closed
      await pause()
      assert.equal(await listen(right, patienceMs).closed, undefined, 'The end that was opened late was told an error')
    })
  })
}

const sizes = [1, 2, 3, 4, 5, 255, 65_535, 65_536, 65_537, 1, 1_500_000, 7]

function message(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i += 1 + (i >> 4)) bytes[i] = (i * 31 + seed) & 0xff
  return bytes
}

function assertSame(given: Uint8Array | undefined, wanted: Uint8Array, what: string): void {
  assert.ok(given !== undefined && Buffer.compare(given, wanted) === 0, `${what} arrived as something else (${given?.length} bytes)`)
}

/** Long enough for what should not come to come all the same. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
