import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { syscallNumber } from '../src/syscall-numbers.ts'
import { loadedSharedObjects } from '../src/shared-objects.ts'
import { architecture, children, environment, launch, locked, lockPath, program, run, statusOf, users } from './support/launch.ts'

let directory: string
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-launch-')))
  chmodSync(directory, 0o755)
})
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(users)('launched by %s', (as) => {
  test('node boots behind every layer, locks and exits by itself', async () => {
    // Whether there are cgroups depends on the machine: test/cgroups.test.ts.
    const end = await run(locked("say('hello')"), { as, limits: {} })
    expect(end).toMatchObject({ code: 0, signal: null, stdout: 'hello\n', stderr: '' })
    expect(end.events).toMatchObject([
      {
        type: 'ready',
        tier: { name: 'full', because: [], isVerified: true },
        layers: [
          ...['user-ns', 'mount-ns', 'pid-ns', 'net-ns', 'ipc-ns', 'uts-ns', 'cgroup-ns', 'no-nested-user-ns'],
          ...[
            'read-only-root',
            'no-capabilities',
            'no-new-privs',
            'seccomp-notify',
            'no-new-descriptors',
            expect.stringMatching(/^landlock-\d+$/),
          ],
        ],
      },
      { type: 'locked' },
      { type: 'usage' },
    ])
  })

  test('the guest has an identity, a host name and a process number of its own', async () => {
    const { stdout } = await run(
      locked('say(process.getuid(), process.getgid(), process.pid, process.ppid, os.hostname(), process.cwd())'),
      { as },
    )
    expect(stdout).toBe('1000 1000 2 1 confine /\n')
  })

  test.each([
    ['an exit code', 'process.exit(7)', { code: 7, signal: null }],
    ['an exit code set before', 'process.exitCode = 3', { code: 3, signal: null }],
    ['an uncaught error', "throw new Error('x')", { code: 1, signal: null }],
    ['an abort', 'process.abort()', { code: null, signal: 'SIGABRT' }],
  ])('%s comes through', async (_name, code, end) => {
    expect(await run(locked(code), { as })).toMatchObject({ ...end, violations: [] })
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGSYS'] as const)('%s from the host to the guest comes through', async (signal) => {
    const guest = launch(locked('setInterval(() => {}, 1000)'), { as })
    await guest.event('locked')
    const [init] = children(guest.child.pid)
    process.kill(children(init)[0] as number, signal)
    expect(await guest.end).toMatchObject({ code: null, signal })
  })

  test('the guest can read what the policy names before the lock, by its links too, and nothing of it after', async () => {
    const [data, link] = [join(directory, `data-${as}`), join(directory, `link-${as}`)]
    mkdirSync(data)
    writeFileSync(join(data, 'file'), 'content', { mode: 0o644 })
    const file = join(data, 'file')
    const before = `console.log(fs.readFileSync('${link}/file', 'utf8'));`
    const command = locked(`attempt(() => fs.readFileSync('${file}', 'utf8'))`)
    const confined = { ...command, args: ['-e', `${before}${command.args[1]}`] }
    const end = await run(confined, { as, bootRead: [data], bootLinks: [{ path: link, target: data }], onViolation: 'deny' })
    expect(end).toMatchObject({ stdout: 'content\nEACCES\n', violations: [{ syscall: 'openat', path: file, action: 'deny' }] })
  })

  test('what it can read it cannot write, and there is nothing else', async () => {
    const data = join(directory, `read-only-${as}`)
    mkdirSync(data, { mode: 0o777 })
    chmodSync(data, 0o777)
    const code = (act: string) => `try { console.log(${act}) } catch (error) { console.log(error.code) }`
    const acts = [
      `fs.writeFileSync('${data}/new', '')`,
      `fs.mkdirSync('/new')`,
      `fs.writeFileSync('/dev/null', 'x')`,
      `fs.readdirSync('/').join()`,
      ...['/proc', '/etc', '/sys', '/home', '/root', '/dev/shm', '/dev/tty', lockPath].map((path) => `fs.statSync('${path}')`),
    ]
    const { stdout } = await run(
      { file: process.execPath, args: ['-e', acts.map(code).join(';')], env: environment },
      { as, bootRead: [data] },
    )
    const lines = stdout.trim().split('\n')
    expect(lines.slice(0, 4).map((line) => line.replace(/^E(ROFS|ACCES|PERM)$/, 'refused'))).toEqual([
      'refused',
      'refused',
      'refused',
      'refused',
    ])
    expect(new Set(lines.slice(4))).toEqual(new Set(['ENOENT']))
  })

  test('the guest has the environment and the arguments that it was given, and no others', async () => {
    const { stdout } = await run(
      {
        file: process.execPath,
        args: ['-e', 'console.log(JSON.stringify([process.env, process.argv, process.execPath]))', 'a b', '--', 'ü'],
        env: { A: '1', B: '' },
      },
      { as },
    )
    const [{ LD_PRELOAD = '', ...env }, argv, execPath] = JSON.parse(Buffer.from(stdout, 'latin1').toString())
    expect(env).toEqual({ A: '1', B: '' })
    // Where the loader is that of glibc, it is told what it would find anyhow.
    const { libraries } = loadedSharedObjects()
    expect(libraries).toEqual(expect.arrayContaining(LD_PRELOAD.split(':').filter((path: string) => path !== '')))
    expect(argv).toEqual([process.execPath, 'a b', '--', 'ü'])
    expect(execPath).toBe(process.execPath)
  })

  test('the guest has the four descriptors and no other', async () => {
    const getFlags = Array.from({ length: 200 }, (_, fd) => `${syscallNumber('fcntl', architecture)},${fd},1`)
    const { stdout } = await run({ file: program('calls'), args: [lockPath, '0', ...getFlags], env: {} }, { as })
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[1]))
    expect(results.slice(0, 4)).toEqual([0, 0, 0, 0])
    expect(new Set(results.slice(4))).toEqual(new Set([-9]))
  })

  test('the guest holds no capability', async () => {
    const guest = launch(locked('setInterval(() => {}, 1000)'), { as })
    await guest.event('locked')
    const [init] = children(guest.child.pid)
    const [node] = children(init)
    for (const pid of [init, node]) {
      const status = statusOf(pid as number)
      expect(status).toMatchObject({ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none, NoNewPrivs: '1', Seccomp: '2' })
      expect(status.Uid).toEqual(as === 'self' ? expect.anything() : '65534\t65534\t65534\t65534')
      expect(status.Groups?.trim()).toBe('')
    }
    // The supervisor has given up what it had, but it still is who launched it.
    expect(statusOf(guest.child.pid as number)).toMatchObject({ CapPrm: none, CapEff: none, NoNewPrivs: '1', Seccomp: '2' })
    guest.child.kill('SIGTERM')
    await guest.end
  })

  test('the guest answers on the channel after the lock', async () => {
    const guest = launch(
      {
        file: process.execPath,
        args: [
          '-e',
          `const s = new net.Socket({ fd: 3 }); try { fs.statfsSync('${lockPath}') } catch {}; s.on('data', (b) => s.end('re: ' + b))`,
        ],
        env: environment,
      },
      { as },
    )
    await guest.event('locked')
    const answer = new Promise((resolve) => guest.channel.once('data', (chunk) => resolve(String(chunk))))
    guest.channel.write('question')
    expect(await answer).toBe('re: question')
    guest.channel.end()
    expect(await guest.end).toMatchObject({ code: 0, violations: [] })
  })

  test('files below a directory that its owner alone can enter are bound', async () => {
    const closed = join(directory, `closed-${as}`)
    mkdirSync(join(closed, 'inner'), { recursive: true })
    writeFileSync(join(closed, 'inner', 'file'), 'inside', { mode: 0o644 })
    chmodSync(closed, 0o700)
    // Root passes everywhere, everybody else their own.
    if (as !== 'self') chownSync(closed, as === 'root' ? 4321 : 65534, 0)
    const code = `console.log(fs.readFileSync('${closed}/inner/file', 'utf8'))`
    const end = await run({ file: process.execPath, args: ['-e', code], env: environment }, { as, bootRead: [join(closed, 'inner')] })
    expect(end).toMatchObject({ stdout: 'inside\n' })
  })

  test('a link on the way to a bound place is not followed', async () => {
    const target = join(directory, `target-${as}`)
    mkdirSync(target)
    writeFileSync(join(target, 'file'), '')
    const link = join(directory, `way-${as}`)
    symlinkSync(target, link)
    const rewrite = (args: readonly string[]) => ['--link', link, target, '--bind', join(link, 'file'), ...args]
    const end = await run(locked(''), { as, rewrite })
    expect(end).toMatchObject({ code: 125, events: [{ type: 'setup-failed', stage: 'root' }] })
  })
})

const none = '0000000000000000'
