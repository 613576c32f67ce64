import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultLimits } from '../../../ipc/src/limits.ts'
import { MessageCodec } from '../../../ipc/src/message.ts'
import { confine, spawnConfine } from './support.ts'

let directory: string
const file = (name: string) => join(directory, name)

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'confine-command-'))
  const programs = {
    'end.js': `console.log(process.argv.slice(2).join()); setTimeout(() => { console.error('late'); process.exitCode = 7 }, 20)
      process.on('exit', (code) => console.log('exit', code))`,
    'exit.js': 'setTimeout(() => process.exit(3), 10)',
    'throws.js': "throw new TypeError('at load \\u001b[31m')",
    'rejects.js': "setTimeout(() => { throw new Error('later') }, 10)",
    'loops.js': 'while (true);',
    'steals.js': "try { require('fs').readFileSync('/etc/passwd') } catch ({ code }) { console.log(code) }",
    'reads.js': "console.log(require('fs').readFileSync(process.argv[2], 'utf8'))",
    'module.mjs': 'console.log("hi"); export const mean = (list) => list.reduce((a, b) => a + b) / list.length',
    'math.js':
      'exports.addOne = (n) => n + 1; exports.text = () => "a\\u001b[2Jb\\nc"; exports.fail = () => { throw new RangeError("no \\u001b[31m") }; exports.echo = (...all) => all; exports.big = () => new Map([[1, 2n]]); exports.steer = () => [Object.assign(new Error("a\\u001b[2J\\u009b1m\\u202e")), "\\u009b"]',
    'typed.ts': "import { twice } from './twice.ts'; const n: number = 4; console.log(twice(n), process.argv.slice(2).join())",
    'twice.ts': 'export const twice = (n: number): number => n * 2',
    data: 'some data',
  }
  for (const [name, text] of Object.entries(programs)) writeFileSync(file(name), text)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('confine run', () => {
  test('streams the output, passes arguments and the exit code of a program that has nothing left to do', async () => {
    expect(await spawnConfine(['run', file('end.js'), 'a', '--b'])).toEqual({ code: 7, out: 'a,--b\nexit 7\n', err: 'late\n' })
  })

  test.each([
    ['exit.js', [], 3, { stdout: '', end: { kind: 'exited', exitCode: 3 } }],
    ['end.js', ['x'], 7, { stdout: 'x\nexit 7\n', stderr: 'late\n', end: { kind: 'exited', exitCode: 7 } }],
    ['throws.js', [], 1, { error: { code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'TypeError' } }],
    ['rejects.js', [], 1, { error: { errorName: 'Error' } }],
    ['module.mjs', [], 0, { stdout: 'hi\n' }],
    ['typed.ts', ['a'], 0, { stdout: '8 a\n' }],
  ])('%s, as JSON', async (name, words, code, expected) => {
    const ended = await confine('run', '--json', file(name), ...words)
    expect(JSON.parse(ended.out)).toMatchObject({ exitCode: code, ...expected })
    expect(ended.code).toBe(code)
  })

  test.each([
    [['--timeout', '300ms'], 'loops.js', 124, 'timeout'],
    [['--cpu', '1'], 'loops.js', 137, 'cpu'],
    [[], 'steals.js', 159, 'violation'],
  ])('%j %s ends with the code of its end', async (options, name, code, kind) => {
    const ended = await confine('run', '--json', ...options, file(name))
    expect(JSON.parse(ended.out)).toMatchObject({ exitCode: code, end: { kind } })
    expect(ended.code).toBe(code)
  })

  test('files are there when they were granted, and what is denied is told', async () => {
    const { code, out } = await confine('run', '--json', '--read', file('data'), file('reads.js'), file('data'))
    expect(JSON.parse(out)).toMatchObject({ stdout: 'some data\n', violations: [] })
    expect(code).toBe(0)
    const denied = await confine('run', '--json', '--deny', file('steals.js'))
    expect(JSON.parse(denied.out)).toMatchObject({ exitCode: 0, stdout: 'EACCES\n', violations: [{ syscall: 'openat', action: 'deny' }] })
  })

  test('what the program throws cannot steer the terminal', async () => {
    const { code, err } = await confine('run', file('throws.js'))
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringMatching(/TypeError: at load/) as string })
    expect(err).not.toContain('\u001b')
  })

  test.each(['run', 'call'])('%s says where a program cannot be read, and what an ES module lacks', async (command) => {
    writeFileSync(file('broken.js'), '// one\nlet x = = 1\n')
    writeFileSync(file('not-common.mjs'), 'exports.f = 1\n')
    const broken = await confine(command, file('broken.js'), 'f')
    expect(broken.err).toContain(`SyntaxError: Unexpected token '='\n${file('broken.js')}:2\nlet x = = 1\n        ^\n`)
    expect(await confine(command, file('not-common.mjs'), 'f')).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'exports is not defined. It was read as an ES module, where there is no exports: write import and export, or name it .cjs\n    at ',
      ) as string,
    })
  })

  test('no program, no runtime', async () => {
    expect(await confine('run', file('none.js'))).toMatchObject({ code: 1, err: expect.stringMatching(/Cannot read the source/) as string })
    expect(await confine('run', '--runtime', 'no-such-runtime', file('end.js'))).toMatchObject({ code: 125 })
  })
})

describe('confine call', () => {
  test.each([
    [['math.js', 'addOne', '5'], 0, '6\n'],
    [['math.js', 'echo', '{"a":[1]}', 'text', '"5"'], 0, "[ { a: [ 1 ] }, 'text', '5' ]\n"],
    [['math.js', 'big'], 0, 'Map(1) { 1 => 2n }\n'],
    [['math.js', 'text'], 0, 'ab\nc\n'],
    [['module.mjs', 'mean', '[1,2,3]'], 0, '2\n'],
  ])('%j prints the result', async ([name, ...words], code, out) => {
    expect(await confine('call', file(name as string), ...words)).toMatchObject({ code, out })
  })

  test('a result cannot steer the terminal, as text or as JSON', async () => {
    for (const options of [[], ['--json']]) {
      const { code, out } = await confine('call', ...options, file('math.js'), 'steer')
      expect(code).toBe(0)
      expect(Array.from(out).filter((one) => (one < ' ' && one !== '\n') || (one > '~' && one < '\u00a0') || one === '\u202e')).toEqual([])
    }
  })

  test('no failure of a guest passes for one of the set-up or of the command line, and none steers the terminal', async () => {
    // The key stands in the message, and the code is the guest's.
    const deep =
      "exports.deep = () => { let value = 1; for (let i = 0; i < 600; i++) value = { '\\u001b[2J\\u009b1m\\u202e': value }; return value }"
    writeFileSync(file('deep.js'), deep)
    const limit = await confine('call', file('deep.js'), 'deep')
    expect(limit).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nested deeper') as string })
    expect(Array.from(limit.err).filter((one) => (one < ' ' && one !== '\n') || (one > '~' && one < '\u00a0') || one === '\u202e')).toEqual(
      [],
    )
    // It owns its process: it can answer by itself, with any code that a guest may have.
    const codec = new MessageCodec(defaultLimits, { errorStacks: false })
    for (const code of ['ERR_CONFINE_BAD_OPTION', 'ERR_CONFINE_LIMIT']) {
      const frame = codec.encode({ type: 'failure', id: 2, error: { name: 'X', message: 'its own \u001b[2J words', code, isOurs: true } })
      const bytes = [frame.length, 0, 0, 0, ...frame].join()
      writeFileSync(file('lies.js'), `exports.lie = () => { require('fs').writeSync(3, Uint8Array.of(${bytes})); for (;;); }`)
      expect(await confine('call', file('lies.js'), 'lie')).toEqual({
        code: 1,
        out: '',
        err: expect.stringMatching(/^confine: (X: )?its own {2}words\n$/) as string,
      })
      const told = await confine('call', '--json', file('lies.js'), 'lie')
      expect({ ...told, out: JSON.parse(told.out) }).toMatchObject({
        code: 1,
        out: { error: { message: expect.stringContaining('words') as string } },
      })
    }
  })

  test('failures have a code and a reason', async () => {
    expect(await confine('call', file('math.js'), 'fail')).toEqual({
      code: 1,
      out: '',
      err: `confine: RangeError: no \n    at exports.fail (${file('math.js')}:1:100)\n`,
    })
    expect(await confine('call', file('math.js'), 'constructor')).toMatchObject({ code: 1, out: '' })
    const { out } = await confine('call', '--json', file('math.js'), 'fail')
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'ERR_CONFINE_GUEST_THREW', errorName: 'RangeError' } })
    expect(JSON.parse((await confine('call', '--json', file('math.js'), 'addOne', '1')).out)).toMatchObject({ result: 2 })
  })
})
