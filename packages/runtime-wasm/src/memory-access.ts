/// <reference path="./webassembly.d.ts" />
import { ConfineError } from '@confine-sandbox/contract'

/** What a caller can do with a module's memory: text and bytes cross by it, since calls take numbers only. */
export type MemoryMethod = (...params: unknown[]) => unknown

/** `memory.read(offset, length)` and `memory.write(offset, bytes)`, checked against the memory as it is now. */
export function memoryMethods(memory: WebAssembly.Memory): Readonly<Record<'read' | 'write', MemoryMethod>> {
  return {
    read: (offset, length) => piece(memory, offset, length).slice(),
    write(offset, bytes) {
      if (!(bytes instanceof Uint8Array)) throw bad('memory.write takes an offset and a Uint8Array')
      piece(memory, offset, bytes.length).set(bytes)
      return undefined
    },
  }
}

function piece({ buffer }: WebAssembly.Memory, offset: unknown, length: unknown): Uint8Array {
  if (!isCount(offset) || !isCount(length)) throw bad('An offset and a length in memory are whole numbers, 0 or more')
  if (offset + length > buffer.byteLength) {
    throw bad(`${length} bytes at ${offset} lie outside of the memory, which has ${buffer.byteLength}`)
  }
  return new Uint8Array(buffer, offset, length)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_VALUE', message)
}
