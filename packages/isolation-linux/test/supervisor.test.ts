import { describe, expect, test } from 'vitest'
import { environment, launch, locked, lockPath, program, run, statusOf, users } from './support/launch.ts'

const look = (path: string) => `try { fs.statfsSync('${path}') } catch (error) { say(error.code) }`
const open = (path: string) => `try { fs.openSync(${path}) } catch (error) { say(error.code) }`

describe.each(users)('the supervisor that %s launched', (as) => {
  test('locks once: the lock is a path like any other afterwards', async () => {
    expect(await run(locked(look(lockPath)), { as })).toMatchObject({
      signal: 'SIGSYS',
      violations: [{ syscall: 'statfs', path: lockPath }],
    })
    const denied = await run(locked(`${look(lockPath)}; ${open("'/x'")}`), { as, onViolation: 'deny' })
    expect(denied).toMatchObject({ code: 0, stdout: 'EACCES\nEACCES\n' })
    expect(denied.events.filter(({ type }) => type === 'locked')).toHaveLength(1)
  })

  test.each([
    ['a look at it', "fs.existsSync('/.confine/lock')"],
    ['its opening', "try { fs.openSync('/.confine/lock') } catch {}"],
    ['another spelling', "try { fs.statfsSync('/.confine//lock') } catch {}"],
    ['a relative path', "try { fs.statfsSync('.confine/lock') } catch {}"],
    ['more after it', "try { fs.statfsSync('/.confine/lock/') } catch {}"],
  ])('is not locked by %s', async (_name, code) => {
    const end = await run({ file: process.execPath, args: ['-e', `${code}; fs.existsSync('/x'); console.log('open')`], env: {} }, { as })
    expect(end).toMatchObject({ code: 0, stdout: 'open\n', violations: [] })
    expect(end.events.map(({ type }) => type)).toEqual(['ready', 'usage'])
  })

  test('quotes what the guest wrote, whatever it is', async () => {
    const names = ['"},{"type":"locked"}', 'a\nb\r\t\u0007\u001b[31m', 'ä€😀', '\\u0022', '%s%n', '{"type":"ready"}\n']
    const bytes = ['ff', 'c3', 'eda080', 'f8808080', '01', '7f', '22', '5c']
    const code = [
      ...names.map((name) => open(`Buffer.from(${JSON.stringify(`/${name}`)})`)),
      ...bytes.map((hex) => open(`Buffer.from('2f${hex}', 'hex')`)),
    ].join(';')
    const end = await run(locked(code), { as, onViolation: 'deny' })
    expect(end).toMatchObject({ code: 0, stderr: '' })
    expect(end.violations.map(({ path }) => path)).toEqual([
      ...names.map((name) => `/${name}`),
      ...bytes.map((hex) => Buffer.from(`2f${hex}`, 'hex').toString()),
    ])
    for (const line of end.reports.trim().split('\n')) expect(line).toMatch(/^[\x20-\x7e]+$/)
  })

  test('bounds what it quotes', async () => {
    const end = await run(
      locked(`${open("'/' + 'x'.repeat(4090)")};${open("'/' + 'x'.repeat(1e6)")};${open('Buffer.alloc(4000, 0xff)')}`),
      { as, onViolation: 'deny' },
    )
    expect(end).toMatchObject({ code: 0 })
    const [short, long, bytes] = end.violations.map(({ path }) => path as string)
    expect(short).toMatch(/^\/x{4000,4090}…?$/)
    expect(long).toMatch(/^\/x{4000,4095}…?$/)
    expect(bytes?.endsWith('…')).toBe(true)
    expect(Math.max(...end.reports.split('\n').map((line) => line.length))).toBeLessThan(8192)
  })

  test.each([
    ['unmapped', undefined],
    ['at-the-end', '/end'],
    ['beyond-the-end', undefined],
    ['endless', /^a{4000,4095}…?$/],
  ])('reads a path that is %s of the mapped memory as far as there is one', async (where, path) => {
    const end = await run({ file: program('paths'), args: [lockPath, where], env: {} }, { as })
    expect(end).toMatchObject({ signal: 'SIGSYS', violations: [{ syscall: 'openat', action: 'kill' }] })
    if (typeof path === 'object') expect(end.violations[0]?.path).toMatch(path)
    else expect(end.violations[0]?.path).toBe(path)
  })

  test('lets nothing pass that changes between two looks', async () => {
    const race = program('race')
    const end = await run({ file: race, args: [lockPath, '/proc/meminfo', race, '3000'], env: {} }, { as, onViolation: 'deny' })
    expect(end).toMatchObject({ code: 0 })
    const [before, after] = end.stdout.trim().split(' ').map(Number)
    expect(before).toBeGreaterThan(0)
    expect(after).toBe(0)
  })

  test('holds a process that was forked before the lock, too', async () => {
    // The child is up, and was heard, before its parent locks; it acts after that.
    const child = `process.stdin.on('data', (chunk) => { if (String(chunk) === 'up?') return process.stdout.write('up'); try { fs.readFileSync('/x') } catch (error) { console.log(error.code) } })`
    const lock = locked(`child.stdin.write('act'); setInterval(() => {}, 1000)`).args[1]
    const code = `const child = child_process.spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: ['pipe', 'pipe', 2] })
      child.stdout.on('data', (chunk) => { if (String(chunk) !== 'up') return process.stdout.write(chunk); ${lock} })
      child.stdin.write('up?')`
    const command = { file: process.execPath, args: ['-e', code], env: environment }
    const end = await run(command, { as })
    expect(end).toMatchObject({ signal: 'SIGSYS', stdout: '', violations: [{ syscall: 'openat', path: '/x' }] })
    const denied = launch(command, { as, onViolation: 'deny' })
    await denied.output('EACCES')
    denied.child.kill('SIGTERM')
    expect((await denied.end).violations[0]).toMatchObject({ path: '/x' })
  })
})

describe('under a flood of violations', () => {
  const count = 30_000
  const flood = (then = '') =>
    locked(`for (let i = 0; i < ${count}; i++) try { fs.closeSync(fs.openSync('/x' + i)) } catch {}; say('survived'); ${then}`)

  test('the host hears a bounded part, and the number of the rest', async () => {
    const began = performance.now()
    const end = await run(flood(), { onViolation: 'deny' })
    const seconds = (performance.now() - began) / 1000
    expect(end).toMatchObject({ code: 0, stdout: 'survived\n' })
    const dropped = [...end.reports.matchAll(/\{"type":"dropped","count":(\d+)\}\n/g)].reduce((sum, [, number]) => sum + Number(number), 0)
    expect(end.violations.length + dropped).toBe(count)
    // MAX_TOKENS and TOKENS_PER_SECOND of native/report-calls.c.
    expect(end.violations.length).toBeLessThan(1024 + 256 * seconds)
    expect(end.violations[0]?.path).toBe('/x0')
  })

  test('a host that does not read holds nobody up, and costs no memory', async () => {
    const guest = launch(flood('setInterval(() => {}, 1000)'), { onViolation: 'deny', deaf: true })
    await guest.output('survived')
    expect(Number(statusOf(guest.child.pid as number).VmHWM?.split(' ')[0])).toBeLessThan(4096)
    guest.child.kill('SIGTERM')
    expect(await guest.end).toMatchObject({ signal: 'SIGTERM' })
  })

  test('a host that does not read does not delay a kill', async () => {
    const guest = launch(flood('process.kill(1, 9)'), { onViolation: 'deny', deaf: true })
    await guest.output('survived')
    expect(await guest.end).toMatchObject({ code: 1 })
  })

  test('the first one kills, whatever comes at the same time', async () => {
    const code = "for (let i = 0; i < 64; i++) fs.readFile('/x' + i, () => say('back'))"
    const end = await run(locked(code))
    expect(end).toMatchObject({ signal: 'SIGSYS', stdout: '' })
    expect(end.violations).toHaveLength(1)
  })
})
