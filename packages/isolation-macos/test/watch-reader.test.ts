import { describe, expect, test } from 'vitest'
import { watchReader } from '../src/watch-reader.ts'

const bytes = (text: string) => Buffer.from(text)

describe('the reports of the watcher', () => {
  test.each([
    ['macOS', 'used 53248 0:01.53\n', 1530, 52],
    ['macOS, hours', 'used 1024 75:00.05\n', 4_500_050, 1],
    ['Linux', 'used 2048 00:01:02\n', 62_000, 2],
    ['Linux, days', 'used 2048 1-02:03:04\n', 93_784_000, 2],
  ])('are read as %s writes them', (_, line, cpuMs, peakMemoryMiB) => {
    expect(watchReader()(bytes(line))).toEqual([{ type: 'usage', cpuMs, peakMemoryMiB }])
  })

  test('the most memory of all looks is what counts', () => {
    const read = watchReader()
    const peaks = ['used 1024 0:00.01\n', 'used 10240 0:00.02\nused 4096 0:00.03\n'].flatMap((text) => read(bytes(text)))
    expect(peaks.map((event) => event.type === 'usage' && event.peakMemoryMiB)).toEqual([1, 10, 10])
  })

  test('say which limit was reached, however they are cut', () => {
    const read = watchReader()
    const events = 'used 9 0:00.01\nlimit memory\nlimit cpu\n'.split('').flatMap((letter) => read(bytes(letter)))
    expect(events.map(({ type, ...rest }) => [type, 'limit' in rest ? rest.limit : ''])).toEqual([
      ['usage', ''],
      ['limit', 'memory'],
      ['limit', 'cpu'],
    ])
  })

  test.each([
    '',
    'limit',
    'limit disk',
    'used',
    'used x 0:01',
    'used 5',
    'used 5 later',
    'used -5 0:01.00',
    `used ${'9'.repeat(40)} 0:01.00`,
    'x'.repeat(1e6),
  ])('a line that is none of them is passed over (%#)', (line) => {
    const read = watchReader()
    expect(read(bytes(`${line}\n`))).toEqual([])
    expect(read(bytes('limit cpu\n'))).toEqual([{ type: 'limit', limit: 'cpu' }])
  })
})
