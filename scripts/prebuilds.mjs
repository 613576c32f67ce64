// Builds the static Linux programs as they are published, for x64 and arm64: `npm run prebuilds`.
// Each is built twice, in two directories, and must come out the same to the byte; then it is started.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = join(dirname(fileURLToPath(import.meta.url)), '../packages/isolation-linux')
const targets = [
  { arch: 'x64', compiler: 'musl-gcc', emulator: 'qemu-x86_64-static' },
  { arch: 'arm64', compiler: 'aarch64-linux-gnu-gcc', emulator: 'qemu-aarch64-static' },
]
const debianPackages = 'musl-tools gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'

for (const target of targets) {
  build(source, target)
  const published = digests(source, target)
  const elsewhere = mkdtempSync(join(tmpdir(), 'confine-prebuilds-'))
  try {
    cpSync(join(source, 'native'), join(elsewhere, 'native'), { recursive: true, filter: (path) => !path.endsWith('/build') })
    cpSync(join(source, 'test/programs'), join(elsewhere, 'test/programs'), { recursive: true })
    build(elsewhere, target)
    const again = digests(elsewhere, target)
    for (const [name, digest] of Object.entries(published)) {
      if (again[name] !== digest) fail(`${target.arch}: ${name} is not reproducible: ${digest} here, ${again[name]} in another directory`)
      start(join(source, 'prebuilds', `linux-${target.arch}`, name), target)
      console.log(`${target.arch.padEnd(6)} ${name.padEnd(15)} sha256 ${digest}`)
    }
  } finally {
    rmSync(elsewhere, { recursive: true, force: true })
  }
}

function build(directory, { arch, compiler }) {
  if (spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status !== 0) {
    fail(`Cannot build for ${arch}: ${compiler} does not run. On Debian: apt install make ${debianPackages}`)
  }
  // Another compiler's output is newer than this one's objects: make would leave it.
  rmSync(join(directory, 'prebuilds', `linux-${arch}`), { recursive: true, force: true })
  const made = spawnSync('make', ['-s', '-C', join(directory, 'native'), `ARCH=${arch}`, `CC=${compiler}`, 'all'], { stdio: 'inherit' })
  if (made.status !== 0) fail(`Cannot build for ${arch} (see above)`)
}

function digests(directory, { arch }) {
  const place = join(directory, 'prebuilds', `linux-${arch}`)
  return Object.fromEntries(
    readdirSync(place).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(place, name)))
        .digest('hex'),
    ]),
  )
}

/** Without its socket the launcher must refuse to start, which shows that it runs; the probe is asked for nothing. */
function start(program, { arch, emulator }) {
  const command = arch === process.arch ? [program] : [emulator, program]
  const { status, error, stderr } = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  if (error) fail(`Cannot start ${program}: ${error.message}. On Debian: apt install qemu-user-static`)
  const isRight = program.endsWith('confine-launch') ? status === 125 && stderr.includes('a socket to the host') : status !== null
  if (!isRight) fail(`${program} does not run: it ended with ${status} and said ${stderr}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
