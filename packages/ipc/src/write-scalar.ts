import type { ByteWriter } from './byte-writer.ts'
import { tag } from './wire.ts'

/** Writes a number: what is an integer of 32 bits and a sign takes fewer bytes. */
export function writeNumber(writer: ByteWriter, value: number): void {
  const absolute = Math.abs(value)
  if (Number.isInteger(value) && absolute <= 0xffffffff && !Object.is(value, -0)) {
    writer.byte(value < 0 ? tag.negative : tag.positive)
    writer.varint(absolute)
  } else {
    writer.byte(tag.double)
    writer.double(value)
  }
}

/** Writes a text. @param isNarrow Whether each of its characters takes one byte. */
export function writeText(writer: ByteWriter, value: string, isNarrow: boolean): void {
  if (isNarrow) {
    writer.byte(tag.latin1)
    writer.varint(value.length)
    writer.latin1(value)
  } else {
    writer.byte(tag.utf16)
    writer.varint(value.length * 2)
    writer.utf16(value)
  }
}

/** The absolute value, least significant byte first. */
export function bigintBytes(value: bigint): Buffer {
  const hex = (value < 0n ? -value : value).toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').reverse()
}
