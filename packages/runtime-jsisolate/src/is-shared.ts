import { types } from 'node:util'

/** Memory that two threads can change, or a view of some. */
export function isShared(value: object): boolean {
  return types.isSharedArrayBuffer(ArrayBuffer.isView(value) ? value.buffer : value)
}
