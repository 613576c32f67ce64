import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameDecoder, minAttachmentBytes, writeAttachmentHeader, writeFrameHeader } from '../src/frame.ts'

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

/** A decoder, and what came out of it. `wants` tells whether there should be more. */
function decoding(maxMessageBytes: number, wants: (received: number) => boolean = () => true) {
  const received: Uint8Array[] = []
  const attachments: Uint8Array[] = []
  const decoder = new FrameDecoder(maxMessageBytes, {
    message: (memory, start, end) => {
      received.push(Uint8Array.from(memory.subarray(start, end)))
      return wants(received.length)
    },
    attachment: (bytes) => {
      attachments.push(bytes)
      return wants(received.length + attachments.length)
    },
  })
  return { decoder, received, attachments }
}

test('messages come out as they went in, however the stream is cut', () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1 }), (sent, cuts) => {
      const stream = framed(sent)
      const { decoder, received } = decoding(64)
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
  ['a frame of 2 GiB', [255, 255, 255, 127]],
  ['an attachment of 2 GiB', [255, 255, 255, 255]],
  ['an empty attachment', [0, 0, 0, 128]],
  ['an attachment that is too short to be one', [64, 0, 0, 128]],
])('%s is refused before its body comes', (_name, header) => {
  const { decoder } = decoding(64, () => expect.unreachable())
  expect(() => decoder.push(Buffer.from(header))).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
})

test('a stream that ends inside a header or a body is not idle', () => {
  const { decoder } = decoding(64)
  decoder.push(Buffer.of(3, 0))
  expect(decoder.isIdle).toBe(false)
  decoder.push(Buffer.of(0, 0, 1))
  expect(decoder.isIdle).toBe(false)
  decoder.push(Buffer.of(2, 3))
  expect(decoder.isIdle).toBe(true)
})

test('a receiver that wants no more gets the rest of the push later, and nothing twice', () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.boolean(), { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (sent, wants, size) => {
      const stream = framed(sent)
      const { decoder, received } = decoding(64, (count) => wants[count % wants.length] as boolean)
      for (let offset = 0; offset < stream.length; ) offset += decoder.push(stream.subarray(offset, offset + size))
      expect(received).toEqual(sent.map((message) => Uint8Array.from(message)))
    }),
  )
})

function attached(bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + bytes.length)
  writeAttachmentHeader(frame, 0, bytes.length)
  frame.set(bytes, 4)
  return frame
}

test('an attachment comes out in memory of its own, however the stream is cut', () => {
  const bytes = new Uint8Array(minAttachmentBytes).map((_, index) => index)
  const stream = Buffer.concat([attached(bytes), attached(bytes), framed([Uint8Array.of(1, 2)])])
  for (const step of [101, 1000, 65_536, stream.length]) {
    const { decoder, received, attachments } = decoding(2 * minAttachmentBytes + 2)
    for (let at = 0; at < stream.length; at += step) {
      decoder.push(stream.subarray(at, at + step))
      // With attachments alone nothing has been said.
      expect(decoder.isIdle).toBe(at + step >= stream.length)
    }
    expect(received).toEqual([Uint8Array.of(1, 2)])
    expect(attachments.every((each) => Buffer.from(each).equals(bytes))).toBe(true)
    for (const { buffer, byteOffset } of attachments) expect([byteOffset, buffer.byteLength]).toEqual([0, bytes.length])
  }
})

test('attachments count with their message, before they are gathered', () => {
  const bytes = new Uint8Array(minAttachmentBytes)
  const { decoder } = decoding(2 * minAttachmentBytes)
  decoder.push(attached(bytes))
  decoder.push(attached(bytes))
  const isRefused = expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' })
  expect(() => decoder.push(attached(bytes).subarray(0, 4))).toThrow(isRefused)
  const other = decoding(minAttachmentBytes + 4).decoder
  other.push(attached(bytes))
  expect(() => other.push(framed([new Uint8Array(5)]))).toThrow(isRefused)
  // And are forgotten with it.
  const third = decoding(minAttachmentBytes + 4).decoder
  for (let i = 0; i < 3; i++) third.push(Buffer.concat([attached(bytes), framed([new Uint8Array(4)])]))
  expect(third.isIdle).toBe(true)
})
