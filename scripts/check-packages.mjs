// Packs every public package and lets publint and attw (are the types wrong?) judge the tarballs.
// The resolution of Node 10 is left out: it knows no exports, and we ask for Node 24.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const directory = mkdtempSync(join(tmpdir(), 'confine-pack-'))
try {
  if (!passes('pnpm', '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', directory)) process.exitCode = 1
  for (const name of readdirSync(directory)) {
    const tarball = join(directory, name)
    const isGood = [
      passes('publint', 'run', '--strict', tarball),
      passes('attw', '--profile', 'node16', '--format', 'ascii', tarball),
    ].every(Boolean)
    console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`)
    if (!isGood) process.exitCode = 1
  }
} finally {
  rmSync(directory, { recursive: true })
}

/** Runs a command, silently when it succeeds. */
function passes(...line) {
  const { status, stdout, stderr, error } = spawnSync(line[0], line.slice(1), { encoding: 'utf8' })
  if (status !== 0) console.error(error?.message ?? stdout + stderr)
  return status === 0
}
