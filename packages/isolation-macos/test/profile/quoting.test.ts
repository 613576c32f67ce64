import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { type ProfileInput, profile } from '../../src/profile/profile.ts'
import { full, plain } from './inputs.ts'

/** Names made of what could end a string, a list or a line, of letters with several normal forms, and of anything else. */
const hostile = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(
        ...' "\\();#\'`,|\n\r\t=$%&*?[]{}~:-.'.split(''),
        '\\"',
        '"))(allow default)',
        'é',
        'e\u0301',
        'Å',
        'A\u030a',
        '각',
        '각',
        '\u202e',
        '😀',
        '\u007f',
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 30,
  })
  .filter((name) => !/[\0/]/.test(name) && name !== '.' && name !== '..' && name.isWellFormed())
const path = fc.array(hostile, { minLength: 1, maxLength: 6 }).map((names) => `/${names.join('/')}`)

const inputs = fc
  .record({ node: path, cwd: path, library: path, read: path, link: path, grantedRead: path, grantedWrite: path, hardened: fc.boolean() })
  .filter(({ grantedRead, grantedWrite }) => !grantedRead.startsWith(`${grantedWrite}/`))
  .map(
    ({ node, cwd, library, read, link, grantedRead, grantedWrite, hardened }): ProfileInput => ({
      ...(hardened ? full : plain),
      node,
      cwd,
      libraries: [library],
      reads: [read],
      links: [link],
      grants: { read: [grantedRead], write: [grantedWrite] },
      hardened,
    }),
  )

describe('a path', () => {
  test('never changes the text of a profile, whatever it is', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const base = input.hardened ? full : plain
        const harmless = {
          ...base,
          node: '/n',
          cwd: '/c',
          libraries: ['/l'],
          reads: ['/r'],
          links: ['/k'],
          grants: { read: ['/g'], write: ['/w'] },
        }
        expect(profile(input).text).toBe(profile(harmless).text)
      }),
    )
  })

  test('is handed over as it is, character by character', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { node, cwd, libraries, reads, links, grants } = input
        expect(Object.values(profile(input).parameters)).toEqual([
          node,
          cwd,
          ...libraries,
          ...reads,
          ...links,
          ...grants.read,
          ...grants.write,
        ])
      }),
    )
  })

  test('allows what is below it and nothing beside it', () => {
    fc.assert(
      fc.property(path, hostile, (read, name) => {
        const { text, parameters } = profile({ ...plain, reads: [read] })
        const rules = readProfile(text, parameters)
        const reading = (file: string) => decide(rules, { operation: 'file-read-data', path: file }).action
        expect(reading(read)).toBe('allow')
        expect(reading(`${read}/${name}`)).toBe('allow')
        expect(reading(`${read}${name}`)).toBe('deny')
        expect(reading(`/beside${read}`)).toBe('deny')
        expect(decide(rules, { operation: 'file-write-data', path: `${read}/${name}` }).action).toBe('deny')
      }),
    )
  })
})
