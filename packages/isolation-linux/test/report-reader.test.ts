import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxLineBytes, reportReader } from '../src/report-reader.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const read = (...chunks: (string | Uint8Array)[]) => {
  const reader = reportReader('x64', () => 1000)
  return chunks.flatMap((chunk) => reader(typeof chunk === 'string' ? bytes(chunk) : chunk))
}
const zeros = '["0x0","0x0","0x0","0x0","0x0","0x0"]'
const violation = (more: string) => `{"type":"violation","number":257,"arguments":${zeros},"action":"deny"${more}}\n`

test('reads what the launcher writes', () => {
  expect(
    read(
      '{"type":"ready","layers":["user-ns","landlock-7"]}\n',
      '{"type":"locked","continued":104}\n',
      '{"type":"limit","limit":"cpu"}\n',
      '{"type":"usage","cpuMs":924,"peakMemoryKiB":52224}\n',
      '{"type":"violation","number":257,"arguments":["0xffffff9c","0x7ffe","0x80000","0x0","0x0","0x0"],"action":"kill","path":"/etc/passwd"}\n',
      '{"type":"setup-failed","stage":"namespaces","reason":"Cannot create the namespaces: Operation not permitted"}\n',
    ),
  ).toEqual([
    { type: 'ready', layers: ['user-ns', 'landlock-7'], walls: expect.objectContaining({ files: ['landlock-7'], network: [] }) },
    { type: 'locked' },
    { type: 'limit', limit: 'cpu' },
    { type: 'usage', cpuMs: 924, peakMemoryMiB: 51 },
    {
      type: 'violation',
      violation: {
        syscall: 'openat',
        path: '/etc/passwd',
        args: ['0xffffff9c', '0x7ffe', '0x80000', '0x0', '0x0', '0x0'],
        time: 1000,
        action: 'kill',
      },
    },
    { type: 'setup-failed', stage: 'namespaces', reason: 'Cannot create the namespaces: Operation not permitted' },
  ])
})

test('puts the bytes of a path together again', () => {
  const paths = (line: string) => read(line).map((event) => (event.type === 'violation' ? event.violation.path : event))
  expect(paths(violation(',"path":"/\\u00c3\\u00a4\\u00e2\\u0082\\u00ac"'))).toEqual(['/ä€'])
  expect(paths(violation(',"path":"/\\u00ff\\u0000\\u001b[2J\\u0022\\u005c"'))).toEqual(['/\ufffd\0\u001b[2J"\\'])
  expect(paths(violation(',"path":"/aaa","truncated":true'))).toEqual(['/aaa…'])
  expect(paths(violation(''))).toEqual([undefined])
})

test('names a call by its architecture, and an unknown one by its number', () => {
  const line = (number: number) => `{"type":"violation","number":${number},"arguments":${zeros},"action":"deny"}\n`
  const syscalls = (architecture: 'x64' | 'arm64') =>
    reportReader(architecture)(bytes(line(56) + line(9999))).map((event) => (event.type === 'violation' ? event.violation.syscall : event))
  expect(syscalls('x64')).toEqual(['clone', 'syscall-9999'])
  expect(syscalls('arm64')).toEqual(['openat', 'syscall-9999'])
})

test('reads how many violations were not told one by one', () => {
  expect(read('{"type":"dropped","count":12}\n', '{"type":"dropped","count":-1}\n', '{"type":"dropped"}\n')).toEqual([
    { type: 'violations-dropped', count: 12 },
  ])
})

test('reads traced calls, and the number of those that were missed before them', () => {
  const traced = (more: string) => `{"type":"trace","number":3,"arguments":["0x7","0x0","0x0","0x0","0x0","0x0"]${more}}\n`
  const good = ',"thread":9,"fate":"done","error":0'
  expect(read(traced(good), traced(`${good},"missed":5`), '{"type":"trace","missed":2}\n')).toEqual([
    { type: 'trace', text: '[9] close(7)\n' },
    { type: 'trace', text: '[...] 5 more system calls, too many to be shown\n[9] close(7)\n' },
    { type: 'trace', text: '[...] 2 more system calls, too many to be shown\n' },
  ])
  expect(read(traced(''), traced(good.replace('done', 'x')), traced(good.replace('9', '-9')), traced(good.replace('0', '"0"')))).toEqual([])
})

test('passes over what it does not know', () => {
  expect(read('{"type":"later"}\n', '\n', '{"type":"locked"}\n')).toEqual([{ type: 'locked' }])
})

test.each([
  ['no JSON', 'locked\n'],
  ['half of a line', '{"type":"locked"'],
  ['an array', '["locked"]\n'],
  ['null', 'null\n'],
  ['layers that are no strings', '{"type":"ready","layers":[1]}\n'],
  ['no layers', '{"type":"ready"}\n'],
  ['a reason that is no string', '{"type":"setup-failed","stage":"root","reason":{}}\n'],
  ['an unknown limit', '{"type":"limit","limit":"patience"}\n'],
  ['negative usage', '{"type":"usage","cpuMs":-1,"peakMemoryKiB":1}\n'],
  ['half of a usage', '{"type":"usage","cpuMs":1}\n'],
  ['a number that is none', `{"type":"violation","number":"257","arguments":${zeros},"action":"deny"}\n`],
  ['a broken number', `{"type":"violation","number":1.5,"arguments":${zeros},"action":"deny"}\n`],
  ['five arguments', '{"type":"violation","number":1,"arguments":["0x0","0x0","0x0","0x0","0x0"],"action":"deny"}\n'],
  ['arguments that are no numbers', violation('').replace('"0x0"', '"0xg"')],
  ['arguments that are too long', violation('').replace('"0x0"', `"0x${'f'.repeat(17)}"`)],
  ['an unknown action', violation('').replace('deny', 'allow')],
  ['a type from the prototype', '{"__proto__":{"type":"locked"}}\n'],
])('makes no event of %s', (_name, line) => {
  expect(read(line)).toEqual([])
  expect(read(`${line}\n{"type":"locked"}\n`).at(-1)).toEqual({ type: 'locked' })
})

test('finds the same events however the bytes are cut', () => {
  const text = bytes(`{"type":"ready","layers":["a"]}\n{"type":"locked"}\n${violation(',"path":"/x"')}`)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 20 }), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const chunks = edges.slice(1).map((end, index) => text.subarray(edges[index], end))
      expect(read(...chunks)).toEqual(read(text))
    }),
  )
})

test('survives any bytes, and reads on after them', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      const events = read(...chunks, '\n{"type":"locked"}\n')
      expect(events.at(-1)).toEqual({ type: 'locked' })
    }),
  )
})

test('survives any JSON', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (json) => {
      expect(read(`${json.replaceAll('\n', ' ')}\n{"type":"locked"}\n`).at(-1)).toEqual({ type: 'locked' })
    }),
  )
})

test('keeps no more than a line of bounded length', () => {
  const long = `{"type":"setup-failed","stage":"x","reason":"${'x'.repeat(maxLineBytes)}"}\n`
  expect(read(long, '{"type":"locked"}\n')).toEqual([{ type: 'locked' }])
  // The same in pieces, so that the bound is met before the end of the line.
  expect(read(...(long.match(/.{1,1000}\n?/g) ?? []), '{"type":"locked"}\n')).toEqual([{ type: 'locked' }])

  const reader = reportReader('x64')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = () => {
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  const flood = new Uint8Array(1 << 20).fill(0x78)
  for (let mebibyte = 0; mebibyte < 256; mebibyte++) expect(reader(flood)).toEqual([])
  expect(held() - before).toBeLessThan(8 << 20)
})
