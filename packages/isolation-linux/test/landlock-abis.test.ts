import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { program } from './support/launch.ts'

const [first, ...lines] = execFileSync(program('landlock-abis'), { encoding: 'latin1' }).trim().split('\n')
const kernel = Number(first)
const table = lines.map((line) => {
  const [abi, files, network, scoped, size, error] = line.split(' ')
  return { abi: Number(abi), files, network, scoped, size: Number(size), error: Number(error) }
})

// landlock(7)
test('takes away what each ABI can', () => {
  expect(table.map(({ abi, files, network, scoped, size }) => `${abi} ${files} ${network} ${scoped} ${size}`)).toEqual([
    '1 1fff 0 0 8',
    '2 3fff 0 0 8',
    '3 7fff 0 0 8',
    '4 7fff 3 0 16',
    '5 ffff 3 0 16',
    '6 ffff 3 3 24',
    '7 ffff 3 3 24',
    '8 ffff 3 3 24',
    '9 1ffff 3 3 24',
  ])
})

test.skipIf(kernel < 1)('this kernel takes all that it has, and no more', () => {
  for (const { abi, files, network, scoped, error } of table) {
    const newest = table.findLast((one) => one.abi <= kernel)
    const isKnown = abi <= kernel || (newest?.files === files && newest?.network === network && newest?.scoped === scoped)
    expect(error === 0, `ABI ${abi}`).toBe(isKnown)
  }
})
