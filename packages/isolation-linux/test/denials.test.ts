import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, locked, run, unconfined, users } from './support/launch.ts'

let directory: string
let victim: ChildProcess
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-denials-')))
  writeFileSync(join(directory, 'secret'), 'canary')
  victim = spawn('sleep', ['600'], { stdio: 'ignore' })
})
afterAll(() => {
  victim.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

interface Denial {
  readonly act: string
  /** Node code; `$directory` and `$victim` stand for the host's. */
  readonly code: string
  /** The system call that gives it away. */
  readonly syscall: string | RegExp
  /** What the code says when nothing confines it. @default 'got' and something */
  readonly works?: RegExp
  /** What it says when the call fails. */
  readonly error: string
}

const denials: readonly Denial[] = [
  {
    act: 'read a file',
    code: "attempt(() => fs.readFileSync('$directory/secret', 'latin1'))",
    syscall: /^open(at)?$/,
    works: /canary/,
    error: 'EACCES',
  },
  {
    act: 'read a file without waiting for it',
    code: "fs.readFile('$directory/secret', 'latin1', (error, text) => say(error ? error.code : text))",
    syscall: /^open(at)?$/,
    works: /canary/,
    error: 'EACCES',
  },
  { act: 'write a file', code: "attempt(() => fs.writeFileSync('$directory/new', 'x'))", syscall: /^open(at)?$/, error: 'EACCES' },
  { act: 'list the root', code: "attempt(() => fs.readdirSync('/').length)", syscall: /^open(at)?$/, error: 'EACCES' },
  { act: 'list where it stands', code: "attempt(() => fs.readdirSync('.').length)", syscall: /^open(at)?$/, error: 'EACCES' },
  { act: 'ask whether a file is there', code: "attempt(() => fs.statSync('$directory/secret').size)", syscall: /stat/, error: 'EACCES' },
  { act: 'make a directory', code: "attempt(() => fs.mkdirSync('$directory/made'))", syscall: /^mkdir(at)?$/, error: 'EACCES' },
  { act: 'remove a file', code: "attempt(() => fs.unlinkSync('$directory/new'))", syscall: /^unlink(at)?$/, error: 'EACCES' },
  {
    act: 'link to a file',
    code: "attempt(() => fs.symlinkSync('$directory/secret', '$directory/link'))",
    syscall: /^symlink(at)?$/,
    error: 'EACCES',
  },
  { act: 'watch a directory', code: "attempt(() => fs.watch('$directory').close())", syscall: 'inotify_init1', error: 'EPERM' },
  { act: 'leave its directory', code: "attempt(() => process.chdir('$directory'))", syscall: 'chdir', error: 'EACCES' },
  {
    act: 'read its own environment back',
    code: "attempt(() => fs.readFileSync('/proc/self/environ').length > 0)",
    syscall: /^open(at)?$/,
    error: 'EACCES',
  },
  {
    act: 'write to its own memory',
    code: "attempt(() => fs.closeSync(fs.openSync('/proc/self/mem', 'r+')))",
    syscall: /^open(at)?$/,
    error: 'EACCES',
  },
  {
    act: 'load a module',
    code: "attempt(() => require('$directory/secret'))",
    syscall: /stat|access|open/,
    works: /canary/,
    error: 'MODULE_NOT_FOUND',
  },
  { act: 'run a program', code: "attempt(() => child_process.spawn('true').unref())", syscall: 'socketpair', error: 'EPERM' },
  {
    act: 'run a program without pipes',
    code: "attempt(() => child_process.spawn('true', { stdio: 'ignore' }).unref())",
    syscall: 'pipe2',
    error: 'EPERM',
  },
  {
    act: 'run a program and wait for it',
    code: "attempt(() => child_process.execSync('true'))",
    syscall: /^epoll_create1?$/,
    error: 'EPERM',
  },
  { act: 'kill a process of the host', code: "attempt(() => process.kill($victim, 'SIGCONT'))", syscall: 'kill', error: 'EPERM' },
  { act: 'kill its parent', code: "attempt(() => process.kill(process.ppid, 'SIGCONT'))", syscall: 'kill', error: 'EPERM' },
  { act: 'kill all it can', code: 'attempt(() => process.kill(-$victim, 0) && 0)', syscall: 'kill', works: /ESRCH/, error: 'EPERM' },
  { act: 'become somebody else', code: 'attempt(() => process.setuid(process.getuid()))', syscall: 'setuid', error: 'EPERM' },
  { act: 'change its priority', code: 'attempt(() => os.setPriority(5))', syscall: 'setpriority', error: 'ERR_SYSTEM_ERROR' },
  {
    act: 'listen on a port',
    code: "net.createServer().once('error', (error) => say(error.code)).listen(0, () => { say('got a port'); process.exit() })",
    syscall: 'socket',
    error: 'EPERM',
  },
  {
    act: 'listen on a path',
    code: "net.createServer().once('error', (error) => say(error.code)).listen('$directory/socket', () => { say('got a path'); process.exit() })",
    syscall: 'socket',
    error: 'EPERM',
  },
  {
    act: 'connect to loopback',
    code: "net.connect(1, '127.0.0.1').once('error', (error) => say(error.code))",
    syscall: 'socket',
    works: /ENETUNREACH/, // there is a socket, and in its own network namespace no way out
    error: 'EPERM',
  },
  {
    act: 'look up a name',
    code: "dns.lookup('localhost', (error, address) => say(error ? error.code : address))",
    syscall: 'socket',
    works: /127|::1/,
    error: 'EAI_AGAIN',
  },
  {
    act: 'fetch',
    code: "fetch('http://127.0.0.1:8081').catch((error) => say(error.cause.code))",
    syscall: 'socket',
    works: /ENETUNREACH/,
    error: 'EPERM',
  },
  {
    act: 'send a datagram',
    code: "dgram.createSocket('udp4').once('error', (error) => say(error.code)).bind(0, () => { say('got a port'); process.exit() })",
    syscall: 'socket',
    error: 'EPERM',
  },
]

describe.each(denials)('to $act', ({ code, syscall, works = /^got/, error }) => {
  const fill = () => code.replaceAll('$directory', directory).replaceAll('$victim', String(victim.pid))

  test('works where nothing confines it', () => {
    expect(unconfined(fill()).stdout).toMatch(works)
  })

  test.each(users)('ends a guest that %s launched, with SIGSYS', async (as) => {
    const before = readdirSync(directory)
    const end = await run(locked(fill()), { as })
    expect(end).toMatchObject({
      code: null,
      signal: 'SIGSYS',
      stdout: '',
      violations: [{ syscall: expect.stringMatching(syscall), action: 'kill' }],
    })
    expect(end.violations).toHaveLength(1)
    expect(readdirSync(directory)).toEqual(before)
    expect(isAlive(victim.pid as number)).toBe(true)
  })

  test('fails with an error where onViolation is deny, and is reported', async () => {
    const end = await run(locked(fill()), { onViolation: 'deny' })
    expect(end).toMatchObject({ code: 0, signal: null })
    expect(end.stdout).toContain(error)
    expect(end.stdout).not.toMatch(/canary|^got/)
    expect(end.violations[0]).toMatchObject({ syscall: expect.stringMatching(syscall), action: 'deny' })
    expect(existsSync(join(directory, 'secret'))).toBe(true)
  })
})

/** What node, its libraries and common packages do by themselves. */
const harmless = {
  'ask about the machine':
    'os.cpus(); os.freemem(); os.totalmem(); os.loadavg(); os.uptime(); os.hostname(); os.homedir(); os.tmpdir(); os.availableParallelism(); os.version()',
  'ask about itself':
    'process.resourceUsage(); process.cpuUsage(); process.constrainedMemory(); process.availableMemory(); process.umask(); process.uptime(); process.title = "x"',
  'ask for its memory': 'try { process.memoryUsage() } catch {}; process.memoryUsage',
  'ask about the network': 'try { os.networkInterfaces() } catch {}',
  'ask for its priority': 'try { os.getPriority() } catch {}',
  'write a report': 'process.report.getReport()',
  'tell the time':
    'new Date().toString(); new Intl.DateTimeFormat("de", { timeZone: "Asia/Tokyo" }).format(); Intl.DateTimeFormat().resolvedOptions().timeZone',
  'ask for a terminal': 'tty.isatty(0); tty.isatty(1); tty.isatty(3); fs.fstatSync(1); process.stdout.isTTY; process.stdout.columns',
  'write and read streams': 'process.stdin.on("data", () => {}); process.stdout.write("x"); console.error("x")',
  'hash, encrypt and draw':
    'crypto.randomBytes(9); crypto.createHash("sha256").update("x").digest(); crypto.generateKeyPairSync("ec", { namedCurve: "P-256" })',
  'use the thread pool':
    'zlib.gzip("x".repeat(1e5), () => {}); crypto.pbkdf2("a", "b", 9, 9, "sha1", () => {}); crypto.scrypt?.("a", "b", 9, () => {})',
  'allocate and free':
    'for (let i = 0; i < 50; i++) Buffer.alloc(1 << 22, 1); let s = "x"; for (let i = 0; i < 25; i++) s += s; new SharedArrayBuffer(1 << 20)',
  compile: 'for (let k = 0; k < 9; k++) new Function(`let s = ${k}; for (let i = 0; i < 1e5; i++) s += i % 7; return s`)()',
  'compile WebAssembly':
    'new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); new WebAssembly.Memory({ initial: 1, maximum: 9 })',
  'load every module of node':
    'process.noDeprecation = true; for (const name of process.getBuiltinModule("module").builtinModules) try { require(name) } catch {}',
  import: 'import("data:text/javascript,export default 1"); import("node:test")',
  wait: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); setTimeout(() => {}, 5); setImmediate(() => {})',
  'handle signals': 'process.once("SIGINT", () => {}).once("SIGUSR2", () => {}).once("SIGSYS", () => {})',
  'keep a database in memory': 'const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(":memory:").exec("create table t (a)")',
  'start what it may not have, and hear it': 'try { new worker_threads.Worker("1", { eval: true }) } catch {}',
  'take a heap snapshot': 'require("v8").getHeapSnapshot().resume()',
  'open what the libraries of node open':
    'for (const p of ["/etc/resolv.conf", "/etc/hosts", "/proc/meminfo", "/dev/urandom"]) try { fs.readFileSync(p) } catch (e) { if (e.code !== "ENOENT") throw e }',
}

describe('it is no violation to', () => {
  test.each(Object.entries(harmless))('%s', async (_act, code) => {
    expect(await run(locked(code))).toMatchObject({ code: 0, signal: null, violations: [] })
  })

  test.each(['/usr/share/zoneinfo/../../../etc/passwd', '/sys/fs/cgroup/../../kernel', '/proc/self/environ', '/etc/hosts/', '/etc/hostss'])(
    'but it is to open %s, which only looks alike',
    async (path) => {
      expect(await run(locked(`fs.openSync('${path}')`))).toMatchObject({ signal: 'SIGSYS', violations: [{ path }] })
    },
  )
})

describe('a path is harmless to look at, not', () => {
  test.each([
    ['to execute', 'execve', "process.execve('/proc/self/exe', [])"],
    ['to remove', 'unlink', "fs.unlinkSync('/etc/hosts')"],
    ['to stand in', 'chdir', "process.chdir('/sys/devices/system/cpu')"],
    ['to link', 'symlink', "fs.symlinkSync('/x', '/etc/hosts')"],
  ])('%s', async (_act, syscall, code) => {
    expect(await run(locked(code))).toMatchObject({ signal: 'SIGSYS', violations: [{ syscall: expect.stringContaining(syscall) }] })
  })
})

describe('threads', () => {
  const code =
    "const worker = new worker_threads.Worker('1', { eval: true }); worker.on('error', (error) => say(error.code)).on('online', () => say('ran'))"

  test('run where nothing confines them', () => {
    expect(unconfined(code).stdout).toBe('ran\n')
  })

  test('are no violation, but there are none, when the policy has none', async () => {
    const end = await run(locked(`try { ${code} } catch (error) { say(error.code) }`))
    expect(end).toMatchObject({ code: 0, stdout: 'ERR_WORKER_INIT_FAILED\n', violations: [] })
  })

  test('start when the policy has them, for native code: a worker needs an event loop, which is refused', async () => {
    const end = await run(locked(`try { ${code} } catch (error) { say(error.code) }`), { threads: true, onViolation: 'deny' })
    expect(end.stdout).toBe('ERR_WORKER_INIT_FAILED\n')
    expect(end.violations.map(({ syscall }) => syscall)).not.toContain('clone')
  })
})
