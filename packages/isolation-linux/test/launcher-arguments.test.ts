import { type Command, defaultPolicy, type Limits } from '@confine-sandbox/contract'
import { expect, test } from 'vitest'
import { launcherArguments } from '../src/launcher-arguments.ts'

const command: Command = { file: '/opt/node/bin/node', args: ['--flag', '/app/guest.cjs', '-- x'], env: { LANG: 'C' } }
const objects = { loader: '/lib64/ld-linux-x86-64.so.2', libraries: ['/lib/libm.so.6', '/lib/libc.so.6'] }

test('reads as it did', () => {
  const policy = {
    ...defaultPolicy,
    bootRead: ['/app/guest.cjs', '/app/node_modules/runtime'],
    bootLinks: [{ path: '/app/node_modules/alias', target: '/app/node_modules/runtime' }],
  }
  expect(launcherArguments(command, policy, objects).join(' ')).toBe(
    [
      '--lock /.confine/lock --on-violation kill --hostname confine --descriptors none',
      '--rlimit core=1 --rlimit fsize=0 --rlimit memlock=0 --rlimit nofile=64 --rlimit nproc=65 --memory 512 --data 512',
      '--bind /app/guest.cjs --bind /app/node_modules/runtime --bind /lib/libc.so.6 --bind /lib/libm.so.6',
      '--bind-exec /lib64/ld-linux-x86-64.so.2 --bind-exec /opt/node/bin/node',
      '--link /app/node_modules/alias /app/node_modules/runtime --empty /dev/null',
      '-- /opt/node/bin/node --flag /app/guest.cjs -- x',
    ].join(' '),
  )
})

test('stands back when it is told to', () => {
  const args = launcherArguments(command, { ...defaultPolicy, limits: { nice: 7 } }, objects)
  expect(args.slice(args.indexOf('--nice')).slice(0, 2)).toEqual(['--nice', '7'])
})

test('binds a directory once, before what is below it, and keeps the right to execute what is', () => {
  const args = launcherArguments(command, { ...defaultPolicy, bootRead: ['/opt/node/lib', '/opt/node', '/opt/node'] }, objects)
  const places = args.flatMap((arg, index) => (arg.startsWith('--bind') ? [`${arg} ${args[index + 1]}`] : []))
  expect(places.slice(-2)).toEqual(['--bind /opt/node', '--bind-exec /opt/node/bin/node'])
  expect(places.filter((place) => place.includes('/opt/node'))).toHaveLength(2)
})

test('does not take a path for the parent of one that only begins alike', () => {
  const args = launcherArguments(command, { ...defaultPolicy, bootRead: ['/app', '/app-data'] }, objects)
  expect(args).toContain('/app-data')
})

test('sets the limits that there are', () => {
  const limitsOf = (threads: boolean, limits: Limits) =>
    launcherArguments(command, { ...defaultPolicy, threads, limits }, objects)
      .join(' ')
      .match(/memlock=0 --rlimit (.*?) ?--bind/)?.[1]
  // The launcher needs one, for what it keeps above it.
  expect(limitsOf(false, {})).toBe('nofile=65536')
  expect(limitsOf(false, { cpuSeconds: 3, threads: 20, memoryMiB: 100, openFiles: 100 })).toBe(
    'nofile=100 --rlimit cpu=3 --rlimit nproc=21 --memory 100 --data 100',
  )
  // Each isolate reserves half a gigabyte that it does not use.
  expect(limitsOf(true, { memoryMiB: 100 })).toBe('nofile=65536 --memory 100')
})

test('names cgroups that would hold a limit', () => {
  const cgroups = [
    { kind: 'memory', directory: '/m' },
    { kind: 'pids', directory: '/p' },
    { kind: 'v2', directory: '/v' },
  ] as const
  const kindsOf = (limits: Limits) => {
    const args = launcherArguments(command, { ...defaultPolicy, limits }, objects, cgroups)
    return args.filter((_, index) => args[index - 1] === '--cgroup').join(' ')
  }
  expect(kindsOf({ memoryMiB: 100, threads: 20 })).toBe('memory pids v2')
  expect(kindsOf({ memoryMiB: 100 })).toBe('memory v2')
  expect(kindsOf({ threads: 20 })).toBe('pids v2')
  expect(kindsOf({ cpuSeconds: 1 })).toBe('')
})

test('names cgroups that would hold a limit', () => {
  const cgroups = [
    { kind: 'memory', directory: '/m' },
    { kind: 'pids', directory: '/p' },
    { kind: 'v2', directory: '/v' },
  ] as const
  const kindsOf = (limits: Limits) => {
    const args = launcherArguments(command, { ...defaultPolicy, limits }, objects, cgroups)
    return args.filter((_, index) => args[index - 1] === '--cgroup').join(' ')
  }
  expect(kindsOf({ memoryMiB: 100, threads: 20 })).toBe('memory pids v2')
  expect(kindsOf({ memoryMiB: 100 })).toBe('memory v2')
  expect(kindsOf({ threads: 20 })).toBe('pids v2')
  expect(kindsOf({ cpuSeconds: 1 })).toBe('')
})

test('passes the policy on', () => {
  expect(launcherArguments(command, { ...defaultPolicy, onViolation: 'deny' }, objects).slice(2, 4)).toEqual(['--on-violation', 'deny'])
})
