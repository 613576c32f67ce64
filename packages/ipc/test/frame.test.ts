import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameDecoder, writeFrameHeader } from '../src/frame.ts'

function framed(messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.map((message) => {
      const frame = Buffer.alloc(4 + message.length)
      writeFrameHeader(frame, 0, message.length)
      frame.set(message, 4)
      return frame
    }),
  )
}

test('messages come out as they went in, however the stream is cut', () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1 }), (sent, cuts) => {
      const stream = framed(sent)
      const received: Uint8Array[] = []
      const decoder = new FrameDecoder(64, (message) => received.push(Uint8Array.from(message)) > 0)
      for (let offset = 0, i = 0; offset < stream.length; i++) {
        const end = offset + (cuts[i % cuts.length] as number)
        decoder.push(stream.subarray(offset, end))
        offset = end
      }
      expect(received).toEqual(sent.map((message) => Uint8Array.from(message)))
      expect(decoder.isIdle).toBe(true)
    }),
  )
})

test.each([
  ['an empty frame', [0, 0, 0, 0]],
  ['a frame one byte too long', [65, 0, 0, 0]],
  ['a frame of 4 GiB', [255, 255, 255, 255]],
])('%s is refused before its body comes', (_name, header) => {
  const decoder = new FrameDecoder(64, () => expect.unreachable())
  expect(() => decoder.push(Uint8Array.from(header))).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
})

test('a stream that ends inside a header or a body is not idle', () => {
  const decoder = new FrameDecoder(64, () => true)
  decoder.push(Uint8Array.of(3, 0))
  expect(decoder.isIdle).toBe(false)
  decoder.push(Uint8Array.of(0, 0, 1))
  expect(decoder.isIdle).toBe(false)
  decoder.push(Uint8Array.of(2, 3))
  expect(decoder.isIdle).toBe(true)
})

test('a receiver that wants no more gets the rest of the push later, and nothing twice', () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.boolean(), { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (sent, wants, size) => {
      const stream = framed(sent)
      const received: Uint8Array[] = []
      const decoder = new FrameDecoder(64, (message) => {
        received.push(Uint8Array.from(message))
        return wants[received.length % wants.length] as boolean
      })
      for (let offset = 0; offset < stream.length; ) offset += decoder.push(stream.subarray(offset, offset + size))
      expect(received).toEqual(sent.map((message) => Uint8Array.from(message)))
    }),
  )
})
