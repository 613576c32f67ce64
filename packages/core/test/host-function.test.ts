import { expect, test, vi } from 'vitest'
import { declareGlobals, hostFunction, type StandardSchema } from '../src/index.ts'
import { sandbox } from './support.ts'

/** A schema as a library would make it. */
function schema<T>(
  is: (value: unknown) => value is T,
  wanted: string,
  json: Record<string, unknown> = {},
  isAsync = false,
): StandardSchema<T> {
  const validate = (value: unknown) =>
    is(value) ? { value } : { issues: [{ message: `expected ${wanted}`, path: ['a', { key: 0 }, 'odd key'] }] }
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (isAsync ? Promise.resolve(validate(value)) : validate(value)),
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}

const text = schema((value): value is string => typeof value === 'string', 'text', { type: 'string' })
const number = schema((value): value is number => typeof value === 'number', 'a number', { type: 'number' })
const later = schema((value): value is number => typeof value === 'number', 'a number', { type: 'integer' }, true)
const trimmed: StandardSchema<string> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: String(value).trim() }) },
}

test('what fits is what the schema made of it, synchronous or not', async () => {
  const fn = vi.fn((a: string, b: number) => a.length + b)
  expect(await hostFunction({ parameters: [trimmed, number], result: number }, fn)('  abc ', 1)).toBe(4)
  expect(fn).toHaveBeenCalledWith('abc', 1)
  expect(await hostFunction({ parameters: [later], result: later }, async (n: number) => n * 2)(2)).toBe(4)
})

test('its this is the object that holds it', () => {
  const group = {
    base: 2,
    add: hostFunction({ parameters: [number] }, function (this: unknown, n: number) {
      return (this as { base: number }).base + n
    }),
  }
  expect(group.add(1)).toBe(3)
})

test.each([
  ['a schema that is none', () => hostFunction({ parameters: [{} as never] }, () => 1)],
  ['a result schema that is none', () => hostFunction({ result: 5 as never }, () => 1)],
  ['parameters that are no list', () => hostFunction({ parameters: {} as never }, () => 1)],
  ['a name that is none', () => hostFunction({ names: ['a b'] }, () => 1)],
  ['no function', () => hostFunction({}, undefined as never)],
])('%s is refused', (_name, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})

test('a mismatch is an error on the side whose fault it is', async () => {
  const fn = vi.fn(async (n: number) => (n === 1 ? 1 : 'secret result') as never)
  const sbx = sandbox({ globals: { half: hostFunction({ parameters: [number], names: ['n'], result: later }, fn) } })
  const failures: any[] = []
  sbx.on('host-function-error', (failure) => failures.push(failure))
  const container = await sbx.execContainer({
    source:
      'exports.f = async (...args) => { try { return await globals.half(...args) } catch (e) { return [e.name, e.code, e.message, Object.keys(e)] } }',
  })
  expect(await container.call('f', [1])).toBe(1)
  const told = (message: string) => ['ConfineError', 'ERR_CONFINE_VALUE', message, ['code']]
  expect(await container.call('f', ['1'])).toEqual(told('n.a[0]["odd key"]: expected a number'))
  expect(await container.call('f', [])).toEqual(told('n.a[0]["odd key"]: expected a number'))
  expect(await container.call('f', [1, 2])).toEqual(told('It takes 1 parameter, not 2'))
  expect(fn).toHaveBeenCalledTimes(1)
  expect(await container.call('f', [2])).toEqual(told("The host's result does not fit its own schema"))
  expect(failures.at(-1)).toMatchObject({
    cid: container.cid,
    name: 'half',
    error: { cause: { message: expect.stringContaining('expected a number') } },
  })
  expect(failures).toHaveLength(4)
})

test('declarations tell the types of schemas, the names, the descriptions, and anything of the rest', () => {
  const user = schema((value): value is object => true, 'a user', {
    type: 'object',
    properties: {
      name: { type: 'string' },
      'odd-key': { type: ['integer', 'null'] },
      tags: { type: 'array', items: { enum: ['a', 1, null] } },
      pair: { type: 'array', prefixItems: [{ type: 'boolean' }, { const: 'x' }], items: { type: 'number' } },
      next: { $ref: '#/$defs/next' },
      other: { anyOf: [{ type: 'string' }, { allOf: [{ type: 'object', additionalProperties: { type: 'number' } }, {}] }] },
    },
    required: ['name'],
    $defs: { next: { type: 'object', additionalProperties: false } },
  })
  expect(
    declareGlobals({
      version: 2,
      since: new Date(0),
      limits: { max: 5, of: ['a'], map: new Map(), nothing: null },
      console: { log: () => {} },
      'odd name': true,
      users: {
        find: hostFunction(
          { parameters: [text, number], names: ['name', 'limit'], result: user, description: 'Finds a user.\nNever */ two.' },
          () => ({}),
        ),
        raw: hostFunction({ type: '<T>(value: T) => Promise<T>', description: 'Gives it back' }, (value) => value),
        any: (..._params: unknown[]) => {},
      },
      unshown: hostFunction({ parameters: [trimmed] }, () => {}),
    }),
  ).toBe(`declare const version: number
declare const since: Date
declare const limits: {
  readonly max: number
  readonly of: readonly unknown[]
  readonly map: Map<unknown, unknown>
  readonly nothing: null
}
// globalThis["odd name"]: boolean
declare const users: {
  /**
   * Finds a user.
   * Never *\\/ two.
   */
  readonly find: (name: string, limit: number) => Promise<{ name: string; "odd-key"?: number | null; tags?: ("a" | 1 | null)[]; pair?: [boolean, "x", ...number[]]; next?: {}; other?: string | Record<string, number> & unknown }>
  /** Gives it back */
  readonly raw: <T>(value: T) => Promise<T>
  readonly any: (...params: any[]) => Promise<any>
}
declare const unshown: (param0: unknown) => Promise<any>
`)
  expect(declareGlobals({})).toBe('')
})

test('schemas that refer to themselves end', () => {
  const json = { $ref: '#', $defs: {} }
  const loop = schema((value): value is never => true, 'anything', json)
  const tree = schema((value): value is never => true, 'a tree', {
    type: 'object',
    properties: { left: { $ref: '#' }, right: { $ref: '#' } },
  })
  expect(declareGlobals({ f: hostFunction({ parameters: [loop] }, () => {}) })).toBe('declare const f: (param0: unknown) => Promise<any>\n')
  expect(declareGlobals({ f: hostFunction({ parameters: [tree] }, () => {}) }).length).toBeLessThan(1_000_000)
  const properties = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`p${index}`, { $ref: '#' }]))
  const bush = schema((value): value is never => true, 'a bush', { type: 'object', properties })
  expect(declareGlobals({ f: hostFunction({ parameters: [bush] }, () => {}) }).length).toBeLessThan(1_000_000)
})

test('no name and no text of a type leaves the comment in which it stands', () => {
  const type = '() => 1\u2028declare const a: any\rdeclare const b: any\ndeclare const c: any'
  const text = declareGlobals({ 'x\u2028declare const d: any': hostFunction({ type }, () => {}) })
  for (const line of text.trimEnd().split(/[\n\r\u2028\u2029]/)) expect(line).toMatch(/^\/\/ /)
})
