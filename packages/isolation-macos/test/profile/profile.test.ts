import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { profile } from '../../src/profile/profile.ts'
import { type Source, sources } from '../../src/profile/sources.ts'
import { isList } from '../../src/sbpl/expression.ts'
import { parse } from '../../src/sbpl/parse.ts'
import { full, plain } from './inputs.ts'

const golden = (name: string) => readFileSync(new URL(`goldens/${name}.sb`, import.meta.url), 'utf8')
const variants = [plain, full, { ...plain, onViolation: 'deny' }, { ...full, onViolation: 'kill' }, { ...plain, reads: [] }] as const

describe('profile', () => {
  test('is this text for a plain guest', () => {
    expect(profile(plain).text).toBe(golden('plain'))
  })

  test('is this text for a hardened guest with everything there is', () => {
    expect(profile(full).text).toBe(golden('full'))
  })

  test('hands every path over beside the text', () => {
    expect(profile(full).parameters).toEqual({
      NODE: '/opt/homebrew/Cellar/node/24.21.0/bin/node',
      CWD: '/private/var/empty',
      LIBRARY_0: '/opt/homebrew/Cellar',
      LIBRARY_1: '/opt/homebrew/opt',
      READ_0: '/Users/ada/app/node_modules/.pnpm/isolated-vm@7.0.1/node_modules/isolated-vm',
      LINK_0: '/Users/ada/app/node_modules/jsisolate-confine-runtime',
      GRANTED_READ_0: '/Users/ada/input',
      GRANTED_READ_1: '/Users/ada/work/a/read only',
      GRANTED_WRITE_0: '/Users/ada/work',
      GRANTED_WRITE_1: '/Users/ada/output.txt',
    })
    expect(profile(full).text).not.toContain('Users')
  })

  test("with onViolation 'deny' no rule of a plain guest sends a signal, and nothing else changes", () => {
    const fatal = /; onViolation: kill[\s\S]*?\n\n/
    expect(profile({ ...plain, onViolation: 'deny' }).text).toBe(golden('plain').replace(fatal, ''))
    expect(profile({ ...plain, onViolation: 'deny' }).text).not.toContain('send-signal')
  })

  test.each(variants)('has its denials first, and a filter in every allowance (%#)', (input) => {
    const [version, ...rules] = parse(profile(input).text)
    expect(version).toEqual(['version', '1'])
    const actions = rules.map((rule) => rule[0 as keyof typeof rule] as unknown as string)
    expect(actions).toEqual([...actions].sort().reverse())
    for (const rule of rules) {
      if (!isList(rule) || rule[0] !== 'allow') continue
      expect(rule.some(isList)).toBe(true)
    }
  })

  test.each(variants)('allows no network, no fork and nothing by default (%#)', (input) => {
    const allowed = parse(profile(input).text).flatMap((rule) => (isList(rule) && rule[0] === 'allow' ? rule : []))
    const operations = allowed.filter((part) => typeof part === 'string')
    expect(
      operations.filter((operation) =>
        /^(default|network|process-fork|system-socket|file-write\*|mach-|file-link|file-clone)/.test(operation),
      ),
    ).toEqual([])
    const writes = new Set(operations.filter((operation) => operation.startsWith('file-write')))
    const granted = ['file-write-data', 'file-write-mode', 'file-write-times', 'file-write-create', 'file-write-unlink']
    expect([...writes]).toEqual(input.grants.write.length === 0 ? ['file-write-data'] : granted)
  })

  test.each(variants)('is printable ASCII (%#)', (input) => {
    expect(profile(input).text).toMatch(/^[\x20-\x7e\n]*$/)
  })

  test('names only sources that are listed, and every one of them', () => {
    const named = new Set(
      variants.flatMap((input) => [...profile(input).text.matchAll(/^; .*\[(.*)\]$/gm)].flatMap(([, list]) => list!.split(', '))),
    )
    expect([...named].sort()).toEqual(Object.keys(sources).sort() as Source[])
  })
})
