import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

/** Who launches. Root launches as both, everybody else as themselves. */
const users = process.geteuid?.() === 0 ? (['root', 'nobody'] as const) : (['self'] as const)
type User = (typeof users)[number]

/** An add-on that this node can load. */
const addon = globSync(
  `../../node_modules/.pnpm/isolated-vm@*/node_modules/isolated-vm/prebuilds/linux-${process.arch}/*.abi${process.versions.modules}.glibc.node`,
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  },
).map((path) => fileURLToPath(new URL(`../${path}`, import.meta.url)))[0]

/** A directory of the host: `read` and `write` to grant, `secret` beside them. Gone when this file is done. */
function makeTree(as: User): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'confine-grants-')))
  trees.push(root)
  for (const directory of ['read', 'read/sub', 'write']) mkdirSync(join(root, directory))
  writeFileSync(join(root, 'secret'), 'canary')
  writeFileSync(join(root, 'read/file'), 'granted')
  writeFileSync(join(root, 'read/sub/file'), 'below')
  copyFileSync('/bin/true', join(root, 'read/program'))
  if (addon !== undefined) copyFileSync(addon, join(root, 'read/addon'))
  symlinkSync('../secret', join(root, 'read/relative'))
  symlinkSync(join(root, 'secret'), join(root, 'read/absolute'))
  chmodSync(root, 0o755)
  if (as === 'nobody') chownSync(join(root, 'write'), 65534, 65534)
  return root
}

const trees: string[] = []
afterAll(() => {
  for (const root of trees) rmSync(root, { recursive: true, force: true })
})

interface Outcome {
  readonly got?: unknown
  readonly code?: string
  readonly message?: string
  readonly end?: string
  readonly violations: readonly string[]
  readonly walls?: readonly string[]
}

interface Program {
  readonly root: string
  /** The body of an asynchronous function of `root`, with `fs` at hand. */
  readonly code: string
  readonly options: Partial<SandboxConstructorOpts>
}

/** Runs each in a sandbox of its own, and all of them from one host. */
async function runAll(as: User, programs: readonly Program[]): Promise<readonly Outcome[]> {
  const written = programs.map(({ root, code, options }) => ({
    options,
    source: `const fs = require('node:fs'); const path = require('node:path'); exports.run = async (root) => { ${code} }`,
    params: [root],
  }))
  const host = [process.execPath, fileURLToPath(new URL('run-programs.mjs', import.meta.url)), JSON.stringify(written)]
  const argv = as === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...host] : host
  const { stdout } = await promisify(execFile)(argv[0] as string, argv.slice(1), { maxBuffer: 1e7 })
  return JSON.parse(stdout) as Outcome[]
}

async function run(as: User, root: string, code: string, options: Partial<SandboxConstructorOpts>): Promise<Outcome> {
  return (await runAll(as, [{ root, code, options }]))[0] as Outcome
}

const grants = (root: string) => ({ policy: { read: [join(root, 'read')], write: [join(root, 'write')] } })

/** What plain use of node:fs comes to: each of these gives what it gives without a sandbox. */
const uses = {
  'read a file': "return fs.readFileSync(root + '/read/file', 'utf8')",
  'read without waiting': "return [await fs.promises.readFile(root + '/read/sub/file', 'utf8'), fs.existsSync(root + '/read/none')]",
  'read a stream': "let text = ''; for await (const chunk of fs.createReadStream(root + '/read/file')) text += chunk; return text",
  'read lines':
    "const names = []; const file = await fs.promises.open(root + '/read/file'); for await (const line of file.readLines()) names.push(line); return names",
  'read a part':
    "const file = fs.openSync(root + '/read/file'); const bytes = Buffer.alloc(3); fs.readSync(file, bytes, 0, 3, 2); fs.closeSync(file); return bytes.toString()",
  'list a directory':
    "return fs.readdirSync(root + '/read', { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()]).sort()",
  'list a tree': "return fs.readdirSync(root + '/read', { recursive: true }).sort()",
  'walk a directory':
    "const names = []; for await (const { name } of await fs.promises.opendir(root + '/read')) names.push(name); return names.sort()",
  'look for files': "return fs.globSync(root + '/read/**/file').length",
  'ask about a file':
    "const { size, mode } = fs.statSync(root + '/read/file'); return [size, mode, fs.lstatSync(root + '/read/absolute').isSymbolicLink()]",
  'ask in full': "return String(fs.statSync(root + '/read/file', { bigint: true }).mtimeNs)",
  'follow links':
    "return [fs.readlinkSync(root + '/read/relative'), fs.realpathSync(root + '/read/sub/../file'), fs.realpathSync.native(root + '/read/sub')]",
  'write a file':
    "fs.writeFileSync(root + '/write/a', 'x'); fs.appendFileSync(root + '/write/a', 'y'); return fs.readFileSync(root + '/write/a', 'utf8')",
  'write a stream':
    "await require('node:stream/promises').pipeline(fs.createReadStream(root + '/read/file'), fs.createWriteStream(root + '/write/a', { flush: true })); return fs.statSync(root + '/write/a').size",
  'write in parts':
    "const file = await fs.promises.open(root + '/write/a', 'w+'); await file.write('abc', 2); await file.writev([Buffer.from('z')], 0); await file.sync(); await file.datasync(); await file.truncate(4); const text = await file.readFile('latin1'); await file.close(); return text",
  'make directories':
    "return [fs.mkdirSync(root + '/write/a/b/c', { recursive: true }).endsWith('a'), fs.mkdtempSync(root + '/write/tmp-').length > root.length]",
  rename:
    "fs.mkdirSync(root + '/write/a'); fs.writeFileSync(root + '/write/b', ''); fs.renameSync(root + '/write/b', root + '/write/a/c'); return fs.readdirSync(root + '/write/a')",
  remove:
    "fs.mkdirSync(root + '/write/a/b', { recursive: true }); fs.writeFileSync(root + '/write/a/b/c', ''); fs.unlinkSync(root + '/write/a/b/c'); fs.rmdirSync(root + '/write/a/b'); fs.rmSync(root + '/write/a', { recursive: true }); return fs.readdirSync(root + '/write')",
  'copy a file':
    "fs.copyFileSync(root + '/read/file', root + '/write/a'); await fs.promises.copyFile(root + '/read/file', root + '/write/b', fs.constants.COPYFILE_FICLONE); return ['a', 'b'].map((name) => fs.readFileSync(root + '/write/' + name, 'utf8'))",
  'copy a tree':
    "fs.cpSync(root + '/read/sub', root + '/write/a', { recursive: true }); await fs.promises.cp(root + '/read/sub', root + '/write/b', { recursive: true, preserveTimestamps: true }); return [...fs.readdirSync(root + '/write/a'), ...fs.readdirSync(root + '/write/b')]",
  'change modes and times':
    "fs.writeFileSync(root + '/write/a', ''); fs.chmodSync(root + '/write/a', 0o750); fs.utimesSync(root + '/write/a', 1, 2); const { mode, mtimeMs } = fs.statSync(root + '/write/a'); return [mode, mtimeMs]",
  'empty a file':
    "fs.writeFileSync(root + '/write/a', 'abc'); fs.truncateSync(root + '/write/a', 1); return fs.statSync(root + '/write/a').size",
}

describe.each(users)('a guest with files that %s launched can', (as) => {
  let controls: readonly Outcome[]
  let outcomes: readonly Outcome[]
  beforeAll(async () => {
    const made = Object.values(uses).map((code) => ({ code, root: makeTree(as) }))
    outcomes = await runAll(
      as,
      made.map((one) => ({ ...one, options: grants(one.root) })),
    )
    controls = await runAll(
      as,
      made.map(({ code }) => ({ code, root: makeTree(as), options: { noSandbox: true } })),
    )
  })

  test.each(Object.keys(uses).map((use, index) => [use, index] as const))('%s', (_use, index) => {
    const [confined, control] = [outcomes[index] as Outcome, controls[index] as Outcome]
    expect(control).toMatchObject({ got: expect.anything() })
    expect(confined.violations).toEqual([])
    expect(comparable(confined.got)).toEqual(comparable(control.got))
    expect(confined.walls).toEqual(['read-only-root', expect.stringMatching(/^landlock-/)])
  })

  test('use both at once, and leaves what it wrote to who owns the directory', async () => {
    const root = makeTree(as)
    await run(as, root, "fs.writeFileSync(root + '/write/a', fs.readFileSync(root + '/read/file'))", grants(root))
    expect(readFileSync(join(root, 'write/a'), 'utf8')).toBe('granted')
    expect(statSync(join(root, 'write/a')).uid).toBe(statSync(join(root, 'write')).uid)
  })
})

/** Without what differs from tree to tree. */
function comparable(got: unknown): unknown {
  return JSON.parse(
    JSON.stringify(got)
      .replaceAll(/confine-grants-\w+/g, 'root')
      .replaceAll(/"1\d{18}"/g, '"time"'),
  )
}

interface Attempt {
  readonly act: string
  readonly code: string
  /** What the guest is told. */
  readonly error: RegExp
  /** The kind of call that is forbidden whatever it names; missing where the kernel looks for the file and finds none. */
  readonly syscall?: RegExp
  readonly works?: unknown
}

const start = (file: string) =>
  `const { error, status } = require('node:child_process').spawnSync(${file}); if (error) throw error; return status`

const attempts: readonly Attempt[] = [
  { act: 'read beside a grant', code: "return fs.readFileSync(root + '/secret', 'utf8')", error: /ENOENT/ },
  { act: 'read above a grant', code: "return fs.readFileSync(root + '/read/sub/../../secret', 'utf8')", error: /ENOENT/ },
  { act: 'read behind a link', code: "return fs.readFileSync(root + '/read/relative', 'utf8')", error: /ENOENT/ },
  { act: 'read behind an absolute link', code: "return fs.readFileSync(root + '/read/absolute', 'utf8')", error: /ENOENT/ },
  { act: 'read files of the host', code: "return fs.readFileSync('/etc/passwd', 'utf8').length", error: /ENOENT/ },
  { act: 'read its own environment', code: "return fs.readFileSync('/proc/self/environ').length + 1", error: /ENOENT/ },
  { act: 'read by its descriptors', code: "return fs.readdirSync('/proc/self/fd').length", error: /ENOENT/ },
  { act: 'list what is beside a grant', code: 'return fs.readdirSync(root)', error: /EACCES/ },
  { act: 'list the root', code: "return fs.readdirSync('/').length", error: /EACCES/ },
  { act: 'write beside a grant', code: "return fs.writeFileSync(root + '/new', 'x') ?? 1", error: /EROFS|EACCES/ },
  { act: 'write where it may read', code: "return fs.writeFileSync(root + '/read/file', 'x') ?? 1", error: /EROFS/ },
  { act: 'remove where it may read', code: "return fs.unlinkSync(root + '/read/file') ?? 1", error: /EROFS/ },
  { act: 'change a mode where it may read', code: "return fs.chmodSync(root + '/read/file', 0o777) ?? 1", error: /EROFS/ },
  {
    act: 'move a file out',
    code: "fs.writeFileSync(root + '/write/a', ''); return fs.renameSync(root + '/write/a', root + '/new') ?? 1",
    error: /EXDEV/,
  },
  {
    act: 'link a file of the host',
    code: "return fs.linkSync(root + '/secret', root + '/write/new') ?? 1",
    error: /EACCES/,
    syscall: /^link/,
  },
  { act: 'leave a link', code: "return fs.symlinkSync('/etc/passwd', root + '/write/new') ?? 1", error: /EACCES/, syscall: /^symlink/ },
  {
    act: 'leave a set-user-ID program',
    code: "fs.writeFileSync(root + '/write/a', ''); fs.chmodSync(root + '/write/a', 0o4755); return fs.statSync(root + '/write/a').mode & 0o7000",
    works: 0o4000,
    error: /EPERM/,
    syscall: /^f?chmod/,
  },
  {
    act: 'make one',
    code: "process.umask(0); fs.closeSync(fs.openSync(root + '/write/a', 'w', 0o4755)); return fs.statSync(root + '/write/a').mode & 0o7000",
    works: 0o4000,
    error: /EACCES/,
    syscall: /^open/,
  },
  {
    act: 'run what it wrote',
    code: `fs.copyFileSync(root + '/read/program', root + '/write/a'); ${start("root + '/write/a'")}`,
    works: 0,
    error: /EPERM/,
    syscall: /epoll|socketpair|pipe/,
  },
  { act: 'run what it may read', code: start("root + '/read/program'"), works: 0, error: /EPERM/, syscall: /epoll|socketpair|pipe/ },
]

describe('a guest with files', () => {
  const as = users[0]
  let outcomes: readonly Outcome[]
  beforeAll(async () => {
    outcomes = await runAll(
      as,
      attempts.map(({ code }) => ({ code, root: makeTree(as), options: { noSandbox: true } })),
    )
  })

  test.each(attempts.map((attempt, index) => ({ ...attempt, index })))(
    'that tries to $act succeeds without isolation',
    ({ works, index }) => {
      expect(outcomes[index]?.got).toEqual(works ?? expect.anything())
    },
  )
})

describe.each(users)('a guest with files that %s launched', (as) => {
  let made: readonly { readonly root: string; readonly before: readonly string[] }[]
  let outcomes: readonly Outcome[]
  beforeAll(async () => {
    made = attempts.map(() => makeTree(as)).map((root) => ({ root, before: readdirSync(root) }))
    const caught = attempts.map(({ code }) => `try { ${code} } catch (error) { return 'failed: ' + error.code }`)
    outcomes = await runAll(
      as,
      made.map(({ root }, index) => ({ root, code: caught[index] as string, options: { ...grants(root), onViolation: 'deny' } })),
    )
  })

  test.each(attempts.map((attempt, index) => ({ ...attempt, index })))('fails when it tries to $act', ({ error, syscall, index }) => {
    const outcome = outcomes[index] as Outcome
    const { root, before } = made[index] as (typeof made)[number]
    expect(outcome).toMatchObject({ got: expect.stringMatching(error) })
    expect(outcome.violations.length > 0).toBe(syscall !== undefined)
    if (syscall !== undefined) expect(outcome.violations[0]).toMatch(syscall)
    expect(readdirSync(root)).toEqual(before)
    expect(readFileSync(join(root, 'read/file'), 'utf8')).toBe('granted')
  })
})

test('a forbidden kind of call ends the guest, a file that is not there does not', async () => {
  const root = makeTree(users[0])
  const missing = await run(users[0], root, "try { fs.readFileSync('/etc/passwd') } catch {} return 'alive'", grants(root))
  expect(missing).toMatchObject({ got: 'alive', violations: [] })
  const link = await run(users[0], root, "try { fs.symlinkSync('/etc', root + '/write/x') } catch {} return 'alive'", grants(root))
  expect(link).toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED', end: 'violation', violations: [expect.stringMatching(/^symlink/)] })
  const write = await run(users[0], root, "try { fs.writeFileSync(root + '/read/x', '') } catch {} return 'alive'", {
    policy: { read: [join(root, 'read')] },
  })
  expect(write).toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED', end: 'violation', violations: ['openat'] })
})

describe.each(users)('an add-on that a guest that %s launched', (as) => {
  const load = "process.dlopen({ exports: {} }, FILE); return 'loaded'"
  test.skipIf(addon === undefined).each([
    ['may read', load.replace('FILE', "root + '/read/addon'")],
    ['wrote', `fs.copyFileSync(root + '/read/addon', root + '/write/a'); ${load.replace('FILE', "root + '/write/a'")}`],
  ])('%s is not loaded', async (_which, code) => {
    expect(await run(as, makeTree(as), code, { noSandbox: true })).toMatchObject({ got: 'loaded' })
    const root = makeTree(as)
    expect(await run(as, root, `try { ${code} } catch (error) { return error.message }`, grants(root))).toMatchObject({
      got: expect.stringMatching(/failed to map segment|cannot/i),
      violations: [],
    })
  })
})

describe.each(users)('while a guest that %s launched runs', (as) => {
  test('what the host puts in the place of a grant is not seen', async () => {
    const code = "await host.replace(root + '/read'); return fs.readFileSync(root + '/read/file', 'utf8')"
    expect(await run(as, makeTree('root'), code, { noSandbox: true })).toMatchObject(as === 'nobody' ? {} : { got: 'canary' })
    if (as === 'nobody') return
    const root = makeTree(as)
    expect(await run(as, root, code, grants(root))).toMatchObject({ got: 'granted' })
  })

  test('a link that the host makes leads nowhere', async () => {
    const code = "await host.link('/etc/passwd', root + '/write/x'); return fs.readFileSync(root + '/write/x', 'utf8').length > 0"
    expect(await run(as, makeTree(as), code, { noSandbox: true })).toMatchObject({ got: true })
    const root = makeTree(as)
    expect(await run(as, root, `try { ${code} } catch (error) { return error.code }`, grants(root))).toMatchObject({
      got: 'ENOENT',
      violations: [],
    })
  })
})

describe.each(users)('the scratch space of a guest that %s launched', (as) => {
  const policy = { scratchMiB: 4 }

  test('holds what fits, and no more, and costs the host nothing', async () => {
    const fill = `const file = fs.openSync('/tmp/full', 'w'); let mib = 0
      try { for (;; mib++) fs.writeSync(file, Buffer.alloc(1024 * 1024, 1)) } catch (error) { return [error.code, mib] }`
    const before = statfsSync(tmpdir()).bavail
    const { got } = (await run(as, makeTree(as), fill, { policy })) as { got: [string, number] }
    expect(got[0]).toBe('ENOSPC')
    expect(got[1]).toBeLessThanOrEqual(4)
    expect(Math.abs(statfsSync(tmpdir()).bavail - before) * statfsSync(tmpdir()).bsize).toBeLessThan(1024 ** 3)
    expect(readdirSync('/tmp')).not.toContain('full')
  })

  test('holds a bounded number of files', async () => {
    const make =
      "let count = 0; try { for (; count < 100_000; count++) fs.writeFileSync('/tmp/' + count, '') } catch (error) { return [error.code, count] }"
    const { got } = (await run(as, makeTree(as), make, { policy })) as { got: [string, number] }
    expect(got).toEqual(['ENOSPC', expect.any(Number)])
    expect(got[1]).toBeLessThan(2048)
  })

  test('holds no file above the limit, however empty', async () => {
    const sparse = "fs.writeFileSync('/tmp/a', ''); fs.truncateSync('/tmp/a', 10 * 2 ** 30); return fs.statSync('/tmp/a').size"
    const caught = `try { ${sparse} } catch (error) { return error.code }`
    expect(await run(as, makeTree(as), caught, { policy })).toMatchObject({ got: 'EFBIG', violations: [] })
    expect(await run(as, makeTree(as), caught, { policy, limits: { fileSizeMiB: 20_000 } })).toMatchObject({ got: 10 * 2 ** 30 })
    const root = makeTree(as)
    const write =
      "try { fs.writeFileSync(root + '/write/a', Buffer.alloc(3 * 2 ** 20)) } catch (error) { return [error.code, fs.statSync(root + '/write/a').size] }"
    expect(await run(as, root, write, { ...grants(root), limits: { fileSizeMiB: 2 } })).toMatchObject({ got: ['EFBIG', 2 * 2 ** 20] })
  })

  test('is where os.tmpdir() says, and new each time', async () => {
    const code =
      "const os = require('node:os'); const before = fs.readdirSync('/tmp'); fs.mkdtempSync(path.join(os.tmpdir(), 'x-')); return before.filter((name) => name.startsWith('x-'))"
    for (let turn = 0; turn < 2; turn++) expect(await run(as, makeTree(as), code, { policy })).toMatchObject({ got: [] })
  })
})

describe('a grant is refused before anything is started', () => {
  const sandbox = (policy: unknown) => () => new Sandbox({ runtime: 'jseval-confine-runtime', policy } as SandboxConstructorOpts)

  test('of what is not there', () => {
    const root = makeTree(users[0])
    expect(sandbox({ write: [join(root, 'none')] })).toThrow(/policy\.write.*nothing of that name/)
    expect(readdirSync(root)).not.toContain('none')
  })

  test('to write what every guest boots from', async () => {
    expect(sandbox({ write: [realpathSync(join(process.execPath, '..'))] })).toThrow(/policy\.write.*boots from/)
    await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime', policy: { write: [realpathSync('/usr/lib')] } })
    await expect(sbx.init()).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringMatching(/boots from/) })
  })
})
