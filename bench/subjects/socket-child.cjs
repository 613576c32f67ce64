// Reads messages of a size told by the first four bytes into a buffer each, and answers every one with a byte: what a
// program does that wants bytes over a socket and nothing else.
'use strict'
const { Socket } = require('node:net')

const chunk = Buffer.allocUnsafeSlow(64 * 1024)
let target
let filled = 0
const header = Buffer.alloc(4)
let headerBytes = 0

const socket = new Socket({
  fd: 3,
  readable: true,
  writable: true,
  onread: {
    buffer: chunk,
    callback(length) {
      let offset = 0
      while (offset < length) {
        if (target === undefined) {
          header[headerBytes++] = chunk[offset++]
          if (headerBytes < 4) continue
          target = Buffer.allocUnsafeSlow(header.readUInt32LE(0))
          filled = 0
        }
        const take = Math.min(target.length - filled, length - offset)
        chunk.copy(target, filled, offset, offset + take)
        filled += take
        offset += take
        if (filled === target.length) {
          target = undefined
          headerBytes = 0
          socket.write('.')
        }
      }
      return true
    },
  },
})
socket.on('end', () => process.exit(0))
// Without onread's own start nothing flows.
socket.resume()
