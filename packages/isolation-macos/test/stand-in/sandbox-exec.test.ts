import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type Command, defaultPolicy, type IsolationBackend } from '@confine-sandbox/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { macos } from '../../src/macos.ts'
import type { MacosOptions } from '../../src/settings.ts'
import { innerCommand } from '../inner-command.ts'
import { checkArguments } from './check-arguments.ts'

const here = (name: string) => join(import.meta.dirname, name)
let emptyDirectory: string
let backend: IsolationBackend
const standIn = (options: MacosOptions = {}) =>
  macos({ platform: 'darwin', sandboxExec: here('sandbox-exec'), emptyDirectory, maxProcesses: 4096, ...options })
const node = (source: string, env: Record<string, string> = {}): Command => ({ file: process.execPath, args: ['-e', source], env })
const run = ({ confine }: IsolationBackend, command: Command) => {
  const { file, args, env, cwd } = confine(command, { ...defaultPolicy, bootRead: [realpathSync(import.meta.dirname)] })
  return spawnSync(file, [...args], { env, cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore'] })
}

beforeAll(() => {
  emptyDirectory = realpathSync(mkdtempSync(join(tmpdir(), 'confine "empty" ')))
  backend = standIn()
})
afterAll(() => rmSync(emptyDirectory, { recursive: true }))

describe('the stand-in for sandbox-exec', () => {
  test('is what assess finds', () => {
    expect(backend.assess(defaultPolicy).missing).toEqual([])
    expect(standIn({ sandboxExec: here('sandbox-exec-nested') }).assess(defaultPolicy).missing).toMatchObject([
      { layer: 'seatbelt', reason: expect.stringContaining('already') },
    ])
    expect(standIn({ sandboxExec: here('missing') }).assess(defaultPolicy).missing).toMatchObject([{ layer: 'sandbox-exec' }])
  })

  test('becomes the command: arguments, directory and environment are what was asked for', () => {
    const { stdout, stderr, status } = run(backend, node('console.log(JSON.stringify([process.cwd(), process.env]))', { A: 'a "b" $c\n' }))
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(JSON.parse(stdout)).toEqual([emptyDirectory, { A: 'a "b" $c\n' }])
  })

  test('is the same process: fd 3, the exit code and signals go through', async () => {
    const { file, args, env, cwd } = backend.confine(
      node(`const channel = new (require('net').Socket)({ fd: 3 })
        channel.on('data', (data) => channel.end(process.pid + ' ' + data))
        setInterval(() => {}, 1000)`),
      defaultPolicy,
    )
    const child = spawn(file, [...args], { env: { ...env }, cwd, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    const channel = child.stdio[3] as Duplex
    channel.write('hello')
    expect(await text(channel)).toBe(`${child.pid} hello`)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  })

  test('runs a hardened guest without a JIT', () => {
    const { stdout } = run(standIn({ hardened: true }), node('console.log(JSON.stringify([process.execArgv[0], typeof WebAssembly]))'))
    expect(JSON.parse(stdout)).toEqual(['--jitless', 'undefined'])
  })

  test.each<readonly [string, number, string, (args: string[]) => string[]]>([
    ['another profile', 65, 'unbound variable: file-reed*', (args) => args.with(1, args[1]!.replace('file-read*', 'file-reed*'))],
    ['no profile', 64, 'must come first', (args) => args.slice(2)],
    ['a path that is missing', 65, 'NODE was not handed over', (args) => args.toSpliced(2, 2)],
    ['a path too many', 64, 'OTHER is defined and not used', (args) => args.toSpliced(2, 0, '-D', 'OTHER=/a')],
    ['a path twice', 64, 'NODE is defined twice', (args) => args.toSpliced(2, 0, '-D', 'NODE=/bin/sh')],
    ['no end of the options', 64, '-- must stand', (args) => args.filter((word) => word !== '--')],
    [
      'another program',
      71,
      "execvp() of '/bin/sh' failed: Operation not permitted",
      (args) => args.with(args.indexOf('--') + 1, '/bin/sh'),
    ],
  ])('refuses %s as sandbox-exec would', (_, exitCode, message, change) => {
    const { args } = innerCommand(backend.confine(node('0'), defaultPolicy), here('sandbox-exec'))
    expect(checkArguments(args)).toHaveProperty('rules')
    expect(checkArguments(change([...args]))).toMatchObject({ exitCode, message: expect.stringContaining(message) })
  })

  test('says so on stderr and ends with the same exit code, without running the command', () => {
    const { file, args } = innerCommand(backend.confine(node("console.log('ran')"), defaultPolicy), here('sandbox-exec'))
    const { status, stdout, stderr } = spawnSync(file, args.with(1, args[1]!.replace('(deny default', '(allow default')), {
      cwd: '/',
      env: {},
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 65, stdout: '' })
    expect(stderr).toContain('sandbox-exec: The first rule is (deny default).')
    expect(backend.explainStart?.({ exitCode: status, signal: null, stderr })).toMatchObject({ stage: 'profile' })
  })
})
