import { expect, test } from 'vitest'
import { commands } from '../../src/command/command-line.ts'
import { exitCodes } from '../../src/command/exit-codes.ts'
import { harmless, table, wrap } from '../../src/command/terminal.ts'
import { confine, spawnConfine } from './support.ts'

test.each([
  [['frob'], /no command "frob"; there are run, call, doctor, attack, explain/],
  [['run'], /Name the program/],
  [['run', '--memroy', '5', 'a.js'], /Unknown option '--memroy'/],
  [['run', '--memory', 'x', 'a.js'], /--memory takes a whole number, not "x"/],
  [['run', '--memory', '1', 'a.js'], /limits\.memoryMiB must be a whole number from 16/],
  [['run', '--timeout', 'soon', 'a.js'], /a duration such as 500ms/],
  [['run', '--timeout', 'a.js'], /a duration such as 500ms, 10s or 2m, not "a\.js"/],
  [['run', '--read', '/no/such/file', 'a.js'], /Cannot let the guest read/],
  [['run', '--policy', '/no/such/file', 'a.js'], /Cannot read the policy/],
  [['call', 'a.js'], /Name a file and a function/],
  [['attack', 'it'], /takes no "it"/],
  [['attack', '--only', 'nothing'], /no attack "nothing"; there are read-file,/],
  [['attack', '--tier', 'best'], /one of full, no-user-namespaces-root, landlock-seccomp/],
  [['explain'], /Name one policy file/],
])('%j is a wrong command line, and says why', async (line, why) => {
  const { code, out, err } = await confine(...line)
  expect({ code, out }).toEqual({ code: exitCodes.usage, out: '' })
  expect(err).toMatch(why)
  expect(err).toMatch(/^Try confine .*--help$/m)
})

test('with --json, what is wrong is said as JSON', async () => {
  const { code, out } = await confine('run', '--json', '--cpu', '-1', 'a.js')
  expect(code).toBe(exitCodes.usage)
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'ERR_CONFINE_BAD_OPTION' } })
})

test('the help tells of every command, its options, examples and exit codes', async () => {
  const overview = await confine('--help')
  for (const { name, summary } of commands) {
    expect(overview.out).toContain(summary)
    const { code, out } = await confine(name, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(/^Usage$[\s\S]*^Options$[\s\S]*^Examples$[\s\S]*^Exit codes$/m)
    expect(out.split('\n').every((line) => line.length <= 160)).toBe(true)
  }
  expect(await confine()).toMatchObject({ code: exitCodes.usage, out: overview.out })
  expect((await confine('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('every example of the help is a right command line of that command', async () => {
  for (const { name, examples } of commands) {
    for (const [line] of examples) expect(line.startsWith(`confine ${name}`), line).toBe(true)
  }
})

test('what a guest says cannot steer a terminal', () => {
  const said = harmless('a\u001b[2Jb\u001b]0;title\u0007c\r\nd\u202ee\u009b x')
  expect(Array.from(said).filter((one) => one < ' ' || (one > '~' && one < '\u00a0') || one === '\u202e')).toEqual([])
  expect(said).toMatch(/^a.*x$/)
})

test('tables and paragraphs', () => {
  expect(
    table([
      ['a', 'b'],
      ['ccc', 'd'],
    ]),
  ).toEqual(['a    b', 'ccc  d'])
  expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc'])
})

test('an older Node is told what is needed', async () => {
  const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.1.0"}})'
  const { code, err } = await spawnConfine(['doctor'], ['env', `NODE_OPTIONS=--import=${encodeURI(older)}`])
  expect(code).toBe(exitCodes.setup)
  expect(err).toMatch(/needs Node 24 or later, and this is 20\.1\.0/)
})
