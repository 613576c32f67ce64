import { readSync } from 'node:fs'

/** What V8 knows of the texts of a guest, as far as it was given. */
export interface Code {
  readonly program?: Uint8Array | undefined
  readonly runtime?: Uint8Array | undefined
  /** What the runtime's `learned()` gave. */
  readonly own?: Uint8Array | undefined
}

/** Writes what `readCode` reads: the lengths of the parts, four bytes each, little endian, and the parts. */
export function codeMessage({ program = none, runtime = none, own = none }: Code): Buffer {
  const parts = [program, runtime, own]
  const lengths = Buffer.alloc(headerBytes)
  for (const [index, { length }] of parts.entries()) lengths.writeUInt32LE(length, index * 4)
  return Buffer.concat([lengths, ...parts])
}

/** Waits for what the host sends first, and takes no byte more. A host that is gone has nobody to tell: the process ends. */
export function readCode(fd: number): Code {
  const lengths = readBytes(fd, headerBytes)
  const program = readBytes(fd, lengths.readUInt32LE(0))
  const runtime = readBytes(fd, lengths.readUInt32LE(4))
  const own = readBytes(fd, lengths.readUInt32LE(8))
  return {
    ...(program.length === 0 ? {} : { program }),
    ...(runtime.length === 0 ? {} : { runtime }),
    ...(own.length === 0 ? {} : { own }),
  }
}

const headerBytes = 12
const none = Buffer.alloc(0)

function readBytes(fd: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length; ) {
    const got = readSome(fd, bytes, at)
    if (got === 0) process.exit(1)
    at += got
  }
  return bytes
}

/** A socket that another process has accepted does not block, and a host that is busy has not written yet. */
function readSome(fd: number, bytes: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(fd, bytes, at, bytes.length - at, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(nothing, 0, 0, pauseMs)
    }
  }
}

const nothing = new Int32Array(new SharedArrayBuffer(4))
const pauseMs = 1
