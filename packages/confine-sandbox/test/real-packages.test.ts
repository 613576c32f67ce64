import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Sandbox } from '../src/index.ts'

const repository = realpathSync(fileURLToPath(new URL('../../..', import.meta.url)))
let directory: string
let sbx: Sandbox

beforeAll(() => {
  // Below this package, where its dependencies are found.
  directory = mkdtempSync(fileURLToPath(new URL('real-packages-', import.meta.url)))
  sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
})

afterAll(async () => {
  await sbx.teardown()
  rmSync(directory, { recursive: true })
})

/** What a program makes of packages as npm has them: their files, read on the host, run in an isolate. */
const programs: Record<string, [program: string, expected: unknown]> = {
  'lodash.cjs': [
    "const _ = require('lodash'); exports.run = () => [_.chunk([1, 2, 3], 2), _.get({ a: [{ b: 5 }] }, 'a[0].b'), _.kebabCase('fooBar'), _.template('hi <%= name %>')({ name: 'you' })]",
    [[[1, 2], [3]], 5, 'foo-bar', 'hi you'],
  ],
  'zod.mjs': [
    "import { z } from 'zod'; const User = z.object({ name: z.string().min(2), age: z.coerce.number().int() }); export const run = () => [User.parse({ name: 'Al', age: '5' }), User.safeParse({ name: 'A' }).error.issues.map((issue) => issue.path.join())]",
    [{ name: 'Al', age: 5 }, ['name', 'age']],
  ],
  'ajv.mjs': [
    "import { Ajv } from 'ajv'; const check = new Ajv().compile({ type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }); export const run = () => [check({ a: 1 }), check({ a: 'x' }), check.errors[0].message]",
    [true, false, 'must be integer'],
  ],
  'date-fns.mjs': [
    "import { addMonths, format, differenceInDays } from 'date-fns'; import { de } from 'date-fns/locale/de'; export const run = () => [format(addMonths(new Date(2024, 0, 31), 1), 'yyyy-MM-dd'), differenceInDays(new Date(2024, 1, 1), new Date(2024, 0, 1)), format(new Date(2024, 2, 5), 'd. MMMM', { locale: de })]",
    ['2024-02-29', 31, '5. März'],
  ],
  'acorn.cjs': [
    "const { parse } = require('acorn'); exports.run = () => parse('let x = a ?? b', { ecmaVersion: 2025 }).body[0].declarations[0].init.operator",
    '??',
  ],
  'marked.mjs': ["import { marked } from 'marked'; export const run = () => marked('# hi *you*').trim()", '<h1>hi <em>you</em></h1>'],
  'handlebars.cjs': [
    "const Handlebars = require('handlebars'); const view = Handlebars.compile('{{#each xs}}{{this}}-{{/each}}{{{html}}}{{html}}'); exports.run = () => view({ xs: [1, 2], html: '<b>' })",
    '1-2-<b>&lt;b&gt;',
  ],
  'uuid.mjs': [
    "import { v5, v4, validate, version } from 'uuid'; export const run = () => [v5('hello.example.com', v5.DNS), validate(v4()), version(v4())]",
    ['fdda765f-fc57-5604-a269-52a7df8164ec', true, 4],
  ],
  'yaml.mjs': [
    "import { parse, stringify } from 'yaml'; export const run = () => [parse('a: [1, 2]\\nb: &x {c: 1}\\nd: *x\\n'), stringify({ list: ['x', 1] })]",
    [{ a: [1, 2], b: { c: 1 }, d: { c: 1 } }, 'list:\n  - x\n  - 1\n'],
  ],
  'immer.mjs': [
    "import { produce } from 'immer'; const base = { a: { b: 1 }, c: {} }; export const run = () => { const next = produce(base, (draft) => { draft.a.b = 2 }); return [next, base.a.b, next.c === base.c, Object.isFrozen(next)] }",
    [{ a: { b: 2 }, c: {} }, 1, true, true],
  ],
  'mathjs.mjs': [
    "import { create, all } from 'mathjs'; const math = create(all, {}); export const run = () => [math.evaluate('sqrt(3^2 + 4^2)'), math.format(math.evaluate('det([[1, 2], [3, 4]])'), 10), math.derivative('x^2 + x', 'x').toString(), math.evaluate('2 inch to cm').toString()]",
    [5, '-2', '2 * x + 1', '5.08 cm'],
  ],
}

test.each(Object.entries(programs))('%s', async (name, [program, expected]) => {
  const sourcePath = join(directory, name)
  writeFileSync(sourcePath, program)
  const container = await sbx.execContainer({ sourcePath, env: 'nodejs', roots: [repository], timeoutMs: Infinity })
  expect(await container.call('run')).toEqual(expected)
  await container.close()
})
