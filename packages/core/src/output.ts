import type { Writable } from 'node:stream'

/** Writes a chunk; a promise says when a full target can take more. */
export function passOn(target: Writable, chunk: Uint8Array): Promise<void> | undefined {
  if (target.write(chunk)) return undefined
  return new Promise((resolve) => {
    const done = () => {
      target.off('drain', done)
      target.off('close', done)
      resolve()
    }
    target.on('drain', done)
    target.on('close', done)
  })
}
