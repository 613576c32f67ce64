import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attacks } from '../packages/conformance/src/index.ts'
import { errorCodes } from '../packages/contract/src/index.ts'
import { describe, expect, test } from 'vitest'
import { guide } from '../docs/.vitepress/pages.ts'
import { guestMethod, hostNotice } from '../packages/guest/src/protocol.ts'
import { defaultLimits } from '../packages/ipc/src/limits.ts'
import { tag } from '../packages/ipc/src/wire.ts'
import { root } from './packages.ts'

const docs = join(root, 'docs')
const text = (page: string) => readFileSync(join(docs, `${page}.md`), 'utf8')
const pages = globSync('{*,recipes/*}.md', { cwd: docs }).map((path) => path.replace(/\.md$/, ''))

test('every page stands in the guide, with a title', () => {
  const listed = guide.flatMap((group) => group.pages)
  expect(pages.filter((page) => page !== 'index' && !listed.includes(page))).toEqual([])
  for (const page of pages.filter((page) => page !== 'index')) expect(text(page), page).toMatch(/^(---\n[^#]*---\n\n)?# .+\n/)
})

test('the page on errors names every code, and no other', () => {
  const named = [...text('errors').matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code)
  expect(named.sort()).toEqual([...errorCodes].sort())
})

describe('the threat model', () => {
  const rows = [...text('threat-model').matchAll(/^\| .+ \| `([\w/.-]+)`: \*(.+)\* \|$/gm)].map(([, file, title]) => ({ file, title }))
  const table = text('threat-model').split('## Vector, layer, proof')[1] ?? ''

  test('names a test in each line of its table', () => {
    expect(rows.length).toBeGreaterThan(40)
    expect(table.split('\n').filter((line) => line.startsWith('| ')).length - 1).toBe(rows.length)
  })

  test.each(rows)('$file has: $title', ({ file, title }) => {
    expect(existsSync(join(root, file as string))).toBe(true)
    // Titles are written with quotes escaped or not.
    expect(readFileSync(join(root, file as string), 'utf8').replaceAll('\\', '')).toContain(title)
  })

  test('there are attacks on each part that guests would be after', () => {
    expect([...new Set(attacks.map(({ part }) => part))].sort()).toEqual(['files', 'network', 'privileges', 'processes'])
  })
})

describe('the page on the protocol', () => {
  const protocol = text('protocol')

  test('names every tag of a value with its byte', () => {
    const named = Object.fromEntries(
      [...protocol.matchAll(/^\| `(\w+)` \| (0x[0-9a-f]{2}) \|/gm)].map(([, name, byte]) => [name, Number(byte)]),
    )
    expect(named).toEqual(tag)
  })

  test('names every type of a message with its byte', () => {
    const source = readFileSync(join(root, 'packages/ipc/src/message.ts'), 'utf8')
    const [, list] = /const typeBytes = Object\.freeze\(\{(.*?)\}\)/s.exec(source) as unknown as [string, string]
    const wanted = Object.fromEntries([...list.matchAll(/(\w+): (\d+)/g)].map(([, name, byte]) => [name, Number(byte)]))
    const [, channel] = protocol.split(/^## /m) as [string, string]
    const named = Object.fromEntries([...channel.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, byte]) => [name, Number(byte)]))
    expect(named).toEqual(wanted)
  })

  test('names what host and guest say', () => {
    for (const name of Object.values(guestMethod)) expect(protocol).toContain(`request 0 \`${name}\``)
    for (const name of Object.values(hostNotice)) expect(protocol).toMatch(new RegExp(`notify (0|\\*cid\\*) \`${name}\``))
  })

  test('names every bound', () => {
    for (const name of Object.keys(defaultLimits)) expect(protocol).toContain(`\`${name}\``)
  })
})
