import { expect, test } from 'vitest'
import { traceWriter } from '../src/trace-writer.ts'

test('counts what nobody reads, and tells the number when somebody does', () => {
  const written: string[] = []
  const output = { writableLength: 0, write: (text: string) => written.push(text) }
  const write = traceWriter(output)
  write('a\n')
  output.writableLength = 2 << 20
  write('b\n')
  write('c\nd\n')
  output.writableLength = 0
  write('e\n')
  write('f\n')
  expect(written).toEqual(['a\n', '[...] 3 more lines, too many to be shown\ne\n', 'f\n'])
})
