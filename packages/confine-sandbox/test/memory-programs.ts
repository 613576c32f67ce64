/** Programs that fill memory, a kind each: `fill(mebibytes)` returns when it is done. */
export const memoryPrograms: readonly { readonly of: string; readonly source: string; readonly runtimes: readonly string[] }[] = [
  {
    of: 'objects of JavaScript',
    source: `exports.fill = (mebibytes) => {
      const kept = []
      for (let i = 0; i < mebibytes * 64; i++) kept.push(Array.from({ length: 2048 }, (_, j) => i + j + 0.5))
      return kept.length / 64
    }`,
    runtimes: ['jseval-confine-runtime', 'jsisolate-confine-runtime'],
  },
  {
    of: 'buffers',
    source: `exports.fill = (mebibytes) => {
      const kept = []
      for (let i = 0; i < mebibytes; i++) kept.push(Buffer.alloc(1 << 20, 1))
      return kept.length
    }`,
    runtimes: ['jseval-confine-runtime'],
  },
  {
    of: 'array buffers',
    source: `exports.fill = (mebibytes) => {
      const kept = []
      for (let i = 0; i < mebibytes; i++) kept.push(new Uint8Array(1 << 20).fill(1))
      return kept.length
    }`,
    runtimes: ['jseval-confine-runtime', 'jsisolate-confine-runtime'],
  },
  {
    of: 'shared array buffers',
    source: `exports.fill = (mebibytes) => {
      const kept = []
      for (let i = 0; i < mebibytes; i++) kept.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1))
      return kept.length
    }`,
    runtimes: ['jseval-confine-runtime'],
  },
  {
    of: 'WebAssembly memory',
    source: `exports.fill = (mebibytes) => {
      const memory = new WebAssembly.Memory({ initial: 0 })
      for (let i = 0; i < mebibytes; i++) {
        const end = memory.grow(16) * 65536
        new Uint8Array(memory.buffer, end).fill(1)
      }
      return memory.buffer.byteLength / (1 << 20)
    }`,
    runtimes: ['jseval-confine-runtime', 'jsisolate-confine-runtime'],
  },
]
