import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ConfineError, type Command, defaultPolicy, type Policy, policyParts } from '@confine-sandbox/contract'
import { describe, expect, test, vi } from 'vitest'
import { decide } from '../src/evaluator/decide.ts'
import { readProfile } from '../src/evaluator/read-profile.ts'
import { macos } from '../src/macos.ts'
import type { MacosOptions } from '../src/settings.ts'
import { profile } from '../src/profile/profile.ts'
import { innerCommand } from './inner-command.ts'

const links: Readonly<Record<string, string>> = {
  '/tmp': '/private/tmp',
  '/var': '/private/var',
  '/etc': '/private/etc',
  '/home/me': '/Users/ada',
}

/** A disk with the links of macOS, on which everything else exists that is not named `missing`. */
function realpath(path: string): string {
  if (path.split('/').includes('missing')) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
  const [from] = Object.keys(links).filter((link) => path === link || path.startsWith(`${link}/`))
  return (from === undefined ? path : links[from] + path.slice(from.length)).normalize('NFD')
}

/** A Mac on which everything is in its place. */
const mac = {
  platform: 'darwin',
  isExecutable: () => true,
  isEmptyDirectory: () => true,
  realpath,
  run: () => ({ exitCode: 0, signal: null, stderr: '' }),
  execPath: '/usr/local/bin/node',
} as const satisfies MacosOptions

const command: Command = { file: '/usr/local/bin/node', args: ['--flag', '/Users/ada/guest.cjs', 'a b'], env: { LANG: 'C', EMPTY: '' } }
const policy: Policy = { ...defaultPolicy, bootRead: ['/Users/ada/guest.cjs', '/Users/ada/runtime'] }
const thrown = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return error as ConfineError
  }
  throw new Error('nothing was thrown')
}

describe('confine', () => {
  test('becomes node by way of a shell and sandbox-exec, with the profile as an argument and the paths beside it', () => {
    const { text } = profile({
      node: command.file,
      cwd: '/private/var/empty',
      libraries: [],
      reads: [...policy.bootRead],
      links: [],
      grants: { read: [], write: [] },
      hardened: false,
      onViolation: 'kill',
    })
    expect(macos(mac).confine(command, policy)).toEqual({
      file: '/bin/bash',
      args: [
        ...['-p', fileURLToPath(new URL('../scripts/launch.sh', import.meta.url))],
        ...[String((512 + 96) * 1024), '', '0', '64', '1', ''],
        ...['/usr/bin/env', 'LANG=C', 'EMPTY='],
        ...['/usr/bin/sandbox-exec', '-p', text],
        ...['-D', 'NODE=/usr/local/bin/node', '-D', 'CWD=/private/var/empty'],
        ...['-D', 'READ_0=/Users/ada/guest.cjs', '-D', 'READ_1=/Users/ada/runtime'],
        ...['--', '/usr/local/bin/node', '--flag', '/Users/ada/guest.cjs', 'a b'],
      ],
      env: { LANG: 'C', EMPTY: '' },
      cwd: '/private/var/empty',
      becomesGuest: true,
      descriptors: [{ read: expect.any(Function) }],
      holds: {
        layers: ['seatbelt', 'rlimits', 'watcher'],
        walls: { files: ['seatbelt'], network: ['seatbelt'], processes: ['seatbelt'], privileges: ['seatbelt'], syscalls: [] },
      },
    })
  })

  test.each([
    ['none that it can do without', { threads: 64 }, [], ['', '', '0', '', '1', '']],
    ['processor time', { cpuSeconds: 3 }, [], ['', '3', '0', '', '1', '']],
    ['the size of files, where some may be written', { fileSizeMiB: 2 }, ['/Users/ada/out'], ['', '', '2048', '', '1', '']],
    ['open files', { openFiles: 99 }, [], ['', '', '0', '99', '1', '']],
    ['no size of files', {}, ['/Users/ada/out'], ['', '', '', '', '1', '']],
  ])('tells the shell the limits: %s', (_, limits, write, words) => {
    const { outer } = innerCommand(macos(mac).confine(command, { ...policy, limits, write }))
    expect(outer.slice(2, 8)).toEqual(words)
  })

  test('looks for violations in the log when it is asked to', () => {
    const confined = macos({ ...mac, violations: true }).confine(command, policy)
    expect(innerCommand(confined).outer[7]).toBe('/usr/bin/log')
    expect(confined.descriptors).toMatchObject([{}, { isLate: true }])
  })

  test('has one wall for each part, and for system calls when hardened: the default bar asks for no more', () => {
    expect(macos(mac).mostWalls).toEqual({ files: 1, network: 1, processes: 1, privileges: 1, syscalls: 0 })
    const hardened = macos({ ...mac, hardened: true })
    expect(hardened.mostWalls?.syscalls).toBe(1)
    expect(hardened.confine(command, policy).holds).toMatchObject({
      layers: expect.arrayContaining(['seatbelt-hardened']),
      walls: { syscalls: ['seatbelt'] },
    })
  })

  test('is a function of its arguments', () => {
    expect(macos(mac).confine(command, policy)).toEqual(macos(mac).confine(command, policy))
  })

  test('starts a hardened guest without a JIT, and with the other profile', () => {
    const { args } = macos({ ...mac, hardened: true }).confine(command, policy)
    expect(args.slice(args.indexOf('--') + 1)).toEqual(['/usr/local/bin/node', '--jitless', '--flag', '/Users/ada/guest.cjs', 'a b'])
    expect(innerCommand({ args }).args[1]).toContain('(deny dynamic-code-generation)')
  })

  test('gives the node of Homebrew its libraries, as far as they are there', () => {
    const onDisk = (path: string) => realpath(path.endsWith('/lib') ? '/missing' : path)
    const { args } = macos({ ...mac, realpath: onDisk }).confine({ ...command, file: '/opt/homebrew/Cellar/node/24.21.0/bin/node' }, policy)
    expect(args.filter((word) => word.startsWith('LIBRARY_'))).toEqual([
      'LIBRARY_0=/opt/homebrew/Cellar',
      'LIBRARY_1=/opt/homebrew/opt',
      'LIBRARY_2=/opt/homebrew/etc/openssl@3',
    ])
  })

  test('takes further libraries, and no path twice', () => {
    const options = { ...mac, nodeLibraries: ['/opt/lib', '/opt/lib/deep', '/opt/lib'] }
    const reads = ['/Users/ada/a', '/Users/ada/a/b', '/Users/ada/ab']
    const { args } = macos(options).confine(command, { ...policy, bootRead: reads })
    expect(args.filter((word) => /^(LIBRARY|READ)_/.test(word))).toEqual([
      'LIBRARY_0=/opt/lib',
      'READ_0=/Users/ada/a',
      'READ_1=/Users/ada/ab',
    ])
  })

  test('lets a guest follow a link between packages, when it stands where it must', () => {
    const disk = (path: string) => (path === '/Users/ada/node_modules/a' ? '/Users/ada/store/a' : realpath(path))
    const linked = {
      ...policy,
      bootRead: ['/Users/ada/store/a'],
      bootLinks: [{ path: '/Users/ada/node_modules/a', target: '/Users/ada/store/a' }],
    }
    const { args } = macos({ ...mac, realpath: disk }).confine(command, linked)
    expect(args).toContain('LINK_0=/Users/ada/node_modules/a')
    const inside = { ...linked, bootRead: ['/Users/ada/node_modules', '/Users/ada/store/a'] }
    expect(
      macos({ ...mac, realpath: disk })
        .confine(command, inside)
        .args.join(),
    ).not.toContain('LINK_0')

    const error = thrown(() => macos(mac).confine(command, linked))
    expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
    expect(error.message).toContain('"/Users/ada/node_modules/a" to "/Users/ada/store/a", which is not on the disk')
  })

  test.each([
    ['relative', 'runtime', 'it is not absolute'],
    ['empty', '', 'it is not absolute'],
    ['the root', '/', 'that is every file of this machine'],
    ['with a NUL', '/a\0b', 'it contains a NUL character'],
    ['with half a character', '/a\ud800', 'it is not well-formed Unicode'],
    ['of nothing', '/missing/runtime', 'which is not there'],
  ])('refuses a path that is %s', (_, path, problem) => {
    const error = thrown(() => macos(mac).confine(command, { ...policy, bootRead: [path] }))
    expect(error.code).toBe('ERR_CONFINE_BAD_OPTION')
    expect(error.message).toContain(problem)
    expect(error.message).toContain(`a path of policy.bootRead is ${JSON.stringify(path)}`)
  })

  test('hands granted files over as they are, for the profile to tell reading from writing', () => {
    const files = { ...policy, read: ['/Users/ada/in', '/Users/ada/out/keep'], write: ['/Users/ada/out'] }
    const { args } = macos(mac).confine(command, files)
    expect(args.filter((word) => word.startsWith('GRANTED_'))).toEqual([
      'GRANTED_READ_0=/Users/ada/in',
      'GRANTED_READ_1=/Users/ada/out/keep',
      'GRANTED_WRITE_0=/Users/ada/out',
    ])
    expect(innerCommand({ args }).args[1]).toContain('(require-not (path-ancestors (param "GRANTED_READ_1")))')
    expect(macos(mac).assess(files).parts.files.by).toContain('Seatbelt: reads and writes by list')
  })

  test.each([
    ['behind a link that was made since', { read: ['/tmp/in'] }, '"/tmp/in" of policy.read is now "/private/tmp/in". A link was put'],
    ['not there any more', { write: ['/missing/out'] }, 'a path of policy.write is "/missing/out", which is not there'],
    ['the root', { write: ['/'] }, 'that is every file of this machine'],
    ['around node', { write: ['/usr/local'] }, 'guests boot from "/usr/local/bin/node"'],
    ['around the runtime', { write: ['/Users/ada'] }, 'guests boot from "/Users/ada/guest.cjs"'],
    ['within the runtime', { write: ['/Users/ada/runtime/data'] }, 'guests boot from "/Users/ada/runtime/data"'],
  ])('refuses a granted path that is %s', (_, files, problem) => {
    const error = thrown(() => macos(mac).confine(command, { ...policy, ...files }))
    expect(error.code).toBe('ERR_CONFINE_BAD_OPTION')
    expect(error.message).toContain(problem)
  })

  test('has no scratch space to give, and says what to do instead', () => {
    const error = thrown(() => macos(mac).confine(command, { ...policy, scratchMiB: 1 }))
    expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
    expect(error.message).toContain('Grant an empty directory instead (policy.write)')
  })

  test('refuses the root behind a link, too', () => {
    const error = thrown(() =>
      macos({ ...mac, realpath: (path) => (path === '/all' ? '/' : path) }).confine(command, { ...policy, bootRead: ['/all'] }),
    )
    expect(error.message).toContain('is "/", and that is every file of this machine')
  })

  test('refuses more than macOS can hand to a program', () => {
    const bootRead = Array.from({ length: 12_000 }, (_, index) => `/Users/ada/app/node_modules/package-with-a-name-of-some-length-${index}`)
    const error = thrown(() => macos(mac).confine(command, { ...policy, bootRead }))
    expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
    expect(error.message).toContain('macOS takes 983040')
  })
})

describe('canonical paths', () => {
  const name = fc.string({ unit: fc.constantFrom(...'ab "\\()éÅ각;'.split('')), minLength: 1, maxLength: 8 })
  const start = fc.constantFrom('/tmp', '/var/folders', '/etc/x', '/home/me', '/Users/ada', '/private/tmp')
  const path = fc.tuple(start, fc.array(name, { minLength: 1, maxLength: 4 })).map(([from, names]) => [from, ...names].join('/'))
  const forms = fc.constantFrom('NFC' as const, 'NFD' as const)

  test('the profile names a file as the kernel does, however it was named', () => {
    fc.assert(
      fc.property(path, forms, (given, form) => {
        const confine = (read: string) => macos(mac).confine(command, { ...policy, bootRead: [read] })
        expect(confine(given.normalize(form))).toEqual(confine(realpath(given)))
      }),
    )
  })

  test('what the guest reads is what the policy named', () => {
    fc.assert(
      fc.property(path, name, (given, file) => {
        const { args } = innerCommand(macos(mac).confine(command, { ...policy, bootRead: [given] }))
        const parameters = Object.fromEntries(
          args.filter((_, index) => args[index - 1] === '-D').map((word) => word.split(/=(.*)/s).slice(0, 2)),
        )
        const rules = readProfile(args[1]!, parameters)
        const reading = (one: string) => decide(rules, { operation: 'file-read-data', path: realpath(one) }).action
        expect(reading(`${given}/${file}`)).toBe('allow')
        expect(reading(`/Users/eve/${file}`)).toBe('deny')
      }),
    )
  })
})

describe('assess', () => {
  test('says how each part is held, and that bootRead stays readable', () => {
    const { backend, parts, missing } = macos(mac).assess(policy)
    expect({ backend, missing }).toEqual({ backend: 'macos', missing: [] })
    expect(Object.keys(parts).sort()).toEqual([...policyParts].sort())
    expect(Object.fromEntries(Object.entries(parts).map(([part, { hold }]) => [part, hold]))).toEqual({
      files: 'coarse',
      network: 'exact',
      processes: 'coarse',
      privileges: 'coarse',
      syscalls: 'none',
    })
    expect(parts.files.by).toContain('bootRead stays readable, read-only, for the whole life of the guest: there is no lock')
    expect(macos({ ...mac, hardened: true }).assess(policy).parts.syscalls.hold).toBe('coarse')
    expect(macos(mac)).not.toHaveProperty('lockPath')
  })

  test('tries the profile once, on node itself', () => {
    const run = vi.fn(mac.run)
    const backend = macos({ ...mac, run })
    backend.assess(policy)
    backend.confine(command, policy)
    expect(run).toHaveBeenCalledOnce()
    const [file, args, cwd] = run.mock.calls[0] as unknown as [string, string[], string]
    expect([file, cwd, args.slice(args.indexOf('--'))]).toEqual([
      '/bin/bash',
      '/private/var/empty',
      ['--', '/usr/local/bin/node', '-e', '0'],
    ])
  })

  test.each<readonly [string, MacosOptions, string, string]>([
    ['Linux', { platform: 'linux' }, 'this is linux, and Seatbelt is part of macOS.', 'Use linux() of @confine-sandbox/isolation-linux'],
    [
      'Windows',
      { platform: 'win32' },
      'this is win32, and Seatbelt is part of macOS.',
      'WSL 2 on Windows), or run the guest without isolation',
    ],
    ['no sandbox-exec', { isExecutable: () => false }, 'there is no /usr/bin/sandbox-exec that this user may run', 'why it is blocked'],
    ['no shell', { isExecutable: (path) => path !== '/bin/bash' }, 'there is no /bin/bash that this user may run', 'why it is blocked'],
    ['no ps', { isExecutable: (path) => path !== '/bin/ps' }, 'there is no /bin/ps that this user may run', 'why it is blocked'],
    [
      'a limit that cannot be set',
      { run: () => ({ exitCode: 125, signal: null, stderr: 'confine: ulimit -n 64 was refused, and the limit is unlimited\n' }) },
      'a limit of the guest could not be set: ulimit -n 64 was refused',
      'Ask for other limits',
    ],
    ['a full directory', { isEmptyDirectory: () => false }, '/var/empty, in which guests stand, is not an empty', 'emptyDirectory'],
    [
      'another sandbox',
      { run: () => ({ exitCode: 71, signal: null, stderr: 'sandbox-exec: sandbox_apply: Operation not permitted\n' }) },
      'this process is already in a sandbox',
      'Start the host outside that sandbox',
    ],
    [
      'something unknown',
      { run: () => ({ exitCode: 3, signal: null, stderr: 'boom\n' }) },
      'node did not start under the profile: it ended with exit code 3. boom',
      'Please report it',
    ],
  ])('finds what is missing: %s', (_, options, reason, remedy) => {
    const backend = macos({ ...mac, ...options })
    const { missing, parts } = backend.assess(policy)
    expect(missing).toEqual([
      { layer: expect.any(String), reason: expect.stringContaining(reason), remedy: expect.stringContaining(remedy) },
    ])
    expect(Object.values(parts).every(({ hold }) => hold === 'none')).toBe(true)

    const error = thrown(() => backend.confine(command, policy))
    expect(ConfineError.is(error)).toBe(true)
    expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
    expect(error.message).toBe(`Cannot confine the guest with Seatbelt: ${missing[0]!.reason} ${missing[0]!.remedy}`)
  })
})

test.each(['sandboxExec', 'emptyDirectory'])('%s must be absolute', (option) => {
  expect(thrown(() => macos({ ...mac, [option]: 'sandbox-exec' }))).toMatchObject({
    code: 'ERR_CONFINE_BAD_OPTION',
    message: expect.stringContaining(`${option} is "sandbox-exec", and it is not absolute`),
  })
})

test.runIf(process.platform !== 'darwin')('macos() says on any other system what to do instead', () => {
  expect(thrown(() => macos().confine({ ...command, file: process.execPath }, defaultPolicy))).toMatchObject({
    code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    message: expect.stringContaining(`this is ${process.platform}`),
  })
})
