import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, describe, expect, test } from 'vitest'
import { launch, lockPath, program, run, type LaunchOptions, type User, users } from './support/launch.ts'

const { EACCES, ENOENT, ENOMEM, EPERM, EROFS, EXDEV } = constants.errno

/** A directory of the host: `read` and `write` to grant, `secret` beside them. */
function makeTree(as: User): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'confine-files-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const directory of ['read', 'read/sub', 'write', 'write/sub']) mkdirSync(join(root, directory))
  writeFileSync(join(root, 'secret'), 'canary\n')
  writeFileSync(join(root, 'read/file'), 'granted\n')
  writeFileSync(join(root, 'read/sub/file'), 'below\n')
  writeFileSync(join(root, 'write/file'), 'mine\n')
  copyFileSync('/bin/true', join(root, 'write/true'))
  symlinkSync('../secret', join(root, 'read/relative'))
  symlinkSync(join(root, 'secret'), join(root, 'read/absolute'))
  if (as === 'nobody') {
    chmodSync(root, 0o755)
    for (const path of ['write', 'write/sub', 'write/file', 'write/true']) chownSync(join(root, path), 65534, 65534)
  }
  return root
}

/** What the program says of each act: without a sandbox, and in one with both grants. */
function unconfined(acts: readonly string[]): readonly string[] {
  return spawnSync(program('files'), ['-', ...acts], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
}

async function confined(as: User, root: string, acts: readonly string[], options: LaunchOptions = {}) {
  const policy = { read: [join(root, 'read')], write: [join(root, 'write')], onViolation: 'deny', ...options } as const
  const end = await run({ file: program('files'), args: [lockPath, ...acts], env: {} }, { as, ...policy })
  return { end, said: end.stdout.trim().split('\n'), violations: end.violations.map(({ syscall }) => syscall) }
}

interface Attempt {
  readonly act: string
  /** `$root` stands for the tree. */
  readonly acts: readonly string[]
  readonly works: readonly (string | RegExp)[]
  readonly said: readonly (string | number)[]
  readonly violations?: readonly (string | RegExp)[]
}

const attempts: readonly Attempt[] = [
  { act: 'read what is beside a grant', acts: ['read=$root/secret'], works: ['canary ok'], said: [ENOENT] },
  {
    act: 'read it by two dots',
    acts: ['read=$root/read/../secret', 'read=$root/read/sub/../../secret'],
    works: ['canary ok', 'canary ok'],
    said: [ENOENT, ENOENT],
  },
  {
    act: 'read it by a link',
    acts: ['read=$root/read/relative', 'read=$root/read/absolute'],
    works: ['canary ok', 'canary ok'],
    said: [ENOENT, ENOENT],
  },
  {
    act: 'leave a grant by the descriptor of a directory',
    acts: ['dir=$root/read/sub', 'at=file', 'at=../file', 'at=../../secret', 'at=../../../../../../etc/hostname'],
    works: ['ok', 'below ok', 'granted ok', 'canary ok', /ok/],
    said: ['ok', 'below ok', 'granted ok', ENOENT, ENOENT],
  },
  { act: 'list the directory above', acts: ['dir=$root', 'dir=/'], works: ['ok', 'ok'], said: [EACCES, EACCES] },
  { act: 'hold a path alone', acts: ['path=$root/read'], works: ['ok'], said: [EACCES], violations: ['openat'] },
  { act: 'stand in a directory', acts: ['dir=$root/read', 'fchdir=.'], works: ['ok', 'ok'], said: ['ok', EPERM], violations: ['fchdir'] },
  {
    act: 'change what is granted for reading',
    acts: ['create=$root/read/new', 'remove=$root/read/file', 'rename=$root/read/sub:$root/read/moved'],
    works: ['ok', 'ok', 'ok'],
    said: [EROFS, EROFS, EROFS],
  },
  {
    act: 'move a file out of a grant',
    acts: ['rename=$root/write/file:$root/new', 'rename=$root/write/file:/new'],
    works: ['ok', /./],
    said: [EXDEV, EXDEV],
  },
  {
    act: 'move it between directories of one grant, which may be done',
    acts: ['rename=$root/write/file:$root/write/sub/file', 'read=$root/write/sub/file'],
    works: ['ok', 'mine ok'],
    said: ['ok', 'mine ok'],
  },
  {
    act: 'bring a file of the host in by a hard link',
    acts: ['link=$root/secret:$root/write/new'],
    works: ['ok'],
    said: [EACCES],
    violations: [/^link/],
  },
  {
    act: 'link a file that it holds',
    acts: ['dir=$root/write', 'same=$root/write/new'],
    works: ['ok', /./],
    said: ['ok', EACCES],
    violations: ['linkat'],
  },
  {
    act: 'leave a link for the host to follow',
    acts: ['symlink=/etc/passwd:$root/write/new'],
    works: ['ok'],
    said: [EACCES],
    violations: [/^symlink/],
  },
  { act: 'make a device', acts: ['device=$root/write/new'], works: [/ok|1/], said: [EACCES], violations: [/^mknod/] },
  { act: 'make a pipe', acts: ['fifo=$root/write/new'], works: ['ok'], said: [EACCES], violations: [/^mknod/] },
  {
    act: 'leave a whiteout',
    acts: ['whiteout=$root/write/file:$root/write/new'],
    works: [/ok|1/],
    said: [EACCES],
    violations: ['renameat2'],
  },
  { act: 'make a file without a name', acts: ['unnamed=$root/write'], works: ['ok'], said: [EACCES], violations: ['openat'] },
  {
    act: 'leave a program that runs as its owner',
    acts: ['create-setuid=$root/write/new', 'setuid=$root/write/true', 'setgid=$root/write/true'],
    works: ['ok', 'ok', 'ok'],
    said: [EACCES, EPERM, EPERM],
    violations: ['openat', /chmod/, /chmod/],
  },
  { act: 'give a file away', acts: ['own=$root/write/file'], works: [/ok|1/], said: [EACCES], violations: [/chown/] },
  { act: 'run a program that it could write', acts: ['execute=$root/write/true'], works: [], said: [EPERM], violations: ['execve'] },
  { act: 'map it', acts: ['map=$root/write/true'], works: ['ok'], said: [ENOMEM] },
]

describe.each(attempts)('to $act', ({ acts, works, said, violations = [] }) => {
  const of = (root: string) => acts.map((act) => act.replaceAll('$root', root))

  test('works where nothing confines it', () => {
    const found = unconfined(of(makeTree(users[0])))
    for (const [index, expected] of works.entries()) expect(found[index]).toMatch(expected)
  })

  test.each(users)('is held by the kernel when %s launched', async (as) => {
    const root = makeTree(as)
    const before = readdirSync(root, { recursive: true }).sort()
    const found = await confined(as, root, of(root))
    expect(found.end).toMatchObject({ code: 0, signal: null })
    expect(found.said).toEqual(said.map(String))
    expect(found.violations).toEqual(violations.map((name) => expect.stringMatching(name)))
    if (!said.includes('ok')) expect(readdirSync(root, { recursive: true }).sort()).toEqual(before)
  })
})

describe.each(users)('what %s granted', (as) => {
  test('stays what it was when the host puts something else there', async () => {
    const root = makeTree(as)
    const acts = [
      `read=${root}/read/file`,
      `dir=${root}/read/sub`,
      `await=${root}/write/go`,
      `read=${root}/read/file`,
      'at=../../secret',
      'at=../file',
    ]
    const guest = launch(
      { file: program('files'), args: [lockPath, ...acts], env: {} },
      {
        as,
        read: [join(root, 'read')],
        write: [join(root, 'write')],
        onViolation: 'deny',
      },
    )
    await guest.output('waiting')
    renameSync(join(root, 'read'), join(root, 'moved'))
    mkdirSync(join(root, 'read'))
    writeFileSync(join(root, 'read/file'), 'canary\n')
    // The guest holds this one: the way up must not lead out of what was granted.
    renameSync(join(root, 'moved/sub'), join(root, 'sub'))
    writeFileSync(join(root, 'write/go'), '')
    const { stdout } = await guest.end
    expect(stdout.split('\n').slice(0, -1)).toEqual(['granted ok', 'ok', 'waiting', 'ok', 'granted ok', `${ENOENT}`, `${ENOENT}`])
  })

  test('is not looked for behind a link that came in its place', async () => {
    const root = makeTree(as)
    renameSync(join(root, 'read'), join(root, 'moved'))
    symlinkSync('/etc', join(root, 'read'))
    const { end } = await confined(as, root, ['read=/etc/hostname'])
    expect(end).toMatchObject({
      code: 125,
      events: [{ type: 'setup-failed', stage: 'root', reason: expect.stringMatching(/Cannot open the granted .*read: .*symbolic link/) }],
    })
  })

  test('can hold an inner grant that decides for itself', async () => {
    const root = makeTree(as)
    const inner = { read: [join(root, 'read'), join(root, 'write/sub')], write: [join(root, 'write')] }
    const acts = [`create=${root}/write/new`, `create=${root}/write/sub/new`, `rename=${root}/write/sub:${root}/write/other`]
    const { said } = await confined(as, root, acts, inner)
    expect(said.slice(0, 2)).toEqual(['ok', `${EROFS}`])
    expect(said[2]).not.toBe('ok')
    const outer = { read: [root], write: [join(root, 'write')] }
    const other = await confined(as, root, [`create=${root}/read/new`, `create=${root}/write/other`, `read=${root}/secret`], outer)
    expect(other.said).toEqual([`${EROFS}`, 'ok', 'canary ok'])
  })

  test('can be a file', async () => {
    const root = makeTree(as)
    const acts = [`read=${root}/read/file`, `read=${root}/read/sub/file`, `read=${root}/write/file`, `remove=${root}/write/file`]
    const { said } = await confined(as, root, acts, { read: [join(root, 'read/file')], write: [join(root, 'write/file')] })
    expect(said.slice(0, 3)).toEqual(['granted ok', `${ENOENT}`, 'mine ok'])
    expect(said[3]).not.toBe('ok')
  })

  test('is refused at once when the guest cannot write there', async () => {
    const root = makeTree(as)
    const reason = expect.stringMatching(/Cannot let the guest (write|read) .*: (Permission denied|Read-only file system)\. ./)
    // In a mount namespace of the launcher's own: other tests look at the mounts of this machine.
    const mount = `mount -t tmpfs -o ro confine-test ${join(root, 'write')} && exec "$@"`
    const under = as === 'root' ? ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', mount, 'sh'] : []
    if (as !== 'root') chmodSync(join(root, 'write'), 0o555)
    onTestFinished(() => chmodSync(join(root, 'write'), 0o755))
    const { end } = await confined(as, root, ['read=/x'], { under })
    expect(end).toMatchObject({ code: 125, events: [{ type: 'setup-failed', stage: 'root', reason }] })
  })

  test('holds files of the owner of the directory, afterwards', async () => {
    const root = makeTree(as)
    await confined(as, root, [`create=${root}/write/new`])
    const [directory, file] = [statSync(join(root, 'write')), statSync(join(root, 'write/new'))]
    expect([file.uid, file.gid]).toEqual([directory.uid, directory.gid])
  })
})

describe.each(users)('without user namespaces what %s granted', (as) => {
  const acts = (root: string) => [`read=${root}/read/file`, `read=${root}/secret`, `create=${root}/read/new`]
  const under = (primitive: string) => ({ under: [program('without'), primitive, '--'] })

  test('is held by the same mounts where root makes them, and is nowhere else', async () => {
    const root = makeTree(as)
    chmodSync(root, 0o755)
    const { end, said } = await confined(as, root, acts(root), { ...under('user-namespaces'), write: [] })
    if (as === 'root') expect(said).toEqual(['granted ok', `${ENOENT}`, `${EACCES}`])
    else
      expect(end).toMatchObject({
        code: 125,
        events: [{ type: 'setup-failed', reason: expect.stringMatching(/files without a mount namespace/) }],
      })
  })

  test.each([{ write: [] }, { read: [] }, { read: [], write: [], scratchMiB: 1 }])(
    'is refused without any namespaces: %j',
    async (policy) => {
      const root = makeTree(as)
      const { end } = await confined(as, root, acts(root), { ...under('namespaces'), ...policy })
      expect(end).toMatchObject({
        code: 125,
        events: [{ type: 'setup-failed', reason: expect.stringMatching(/files without a mount namespace/) }],
      })
    },
  )
})

describe.each(users)('the scratch space of a guest that %s launched', (as) => {
  test('is empty, its own, and gone with it', async () => {
    const root = makeTree(as)
    const acts = ['dir=/tmp', 'create=/tmp/confine-scratch', 'symlink=/etc:/tmp/link', 'create-setuid=/tmp/program', `read=${root}/secret`]
    for (let turn = 0; turn < 2; turn++) {
      const { said } = await confined(as, root, acts, { read: [], write: [], scratchMiB: 1 })
      expect(said).toEqual(['ok', 'ok', `${EACCES}`, `${EACCES}`, `${ENOENT}`])
    }
    expect(readdirSync('/tmp')).not.toContain('confine-scratch')
  })
})

describe.each(users)('a hardened guest that %s launched', (as) => {
  const acts = ['memory=mmap', 'memory=mprotect', 'memory=pkey_mprotect', 'map=$root/write/true']

  test('gets no memory that can be executed, and others do', async () => {
    const root = makeTree(as)
    const here = acts.map((act) => act.replaceAll('$root', root))
    expect(unconfined(here)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect((await confined(as, root, here, { jit: true })).said).toEqual([ENOMEM, 'ok', ENOMEM, ENOMEM].map(String))
    const { end, said } = await confined(as, root, here, { jit: false })
    expect(said).toEqual([ENOMEM, ENOMEM, ENOMEM, ENOMEM].map(String))
    expect(end.violations).toEqual([])
  })
})
