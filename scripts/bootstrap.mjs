// Runs one shell command of this repository with everything it needs: `node scripts/bootstrap.mjs "turbo run build"`.
// Works from Node 18 on: fetches the pinned pnpm, lets it install (Node 24 included), then runs the command on that Node 24.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const command = process.argv.slice(2).join(' ')

if (!command) fail('Cannot run nothing: give a command, as the scripts in package.json do.')
// A command that calls another script of this repository is already set up.
process.exit(process.env.CONFINE_BOOTSTRAP ? run(command) : setUp())

function setUp() {
  requireCompiler()
  if (!existsSync(join(root, 'node_modules'))) console.log('First run: fetching pnpm, Node 24 and the dependencies.')
  const path = [join(root, 'node_modules', '.bin'), pnpmDirectory(), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, CONFINE_BOOTSTRAP: '1', TURBO_TELEMETRY_DISABLED: '1' }
  if (run('pnpm install --frozen-lockfile --loglevel=warn', env) !== 0) {
    fail(
      'Cannot install the dependencies (see above). If it says the lockfile is not up to date, run\n' +
        `  npx --yes --prefer-offline ${pinnedPnpm()} install\n` +
        'otherwise the npm registry must be reachable, at least for the first run.',
    )
  }
  requireNode24(env)
  return run(command, env)
}

/** The Linux launcher is a small C program, built here and shipped built. */
function requireCompiler() {
  if (process.platform !== 'linux') return
  const compiler = process.env.CC || 'cc'
  for (const tool of ['make', compiler]) {
    if (spawnSync(`${tool} --version`, { shell: true, stdio: 'ignore' }).status === 0) continue
    fail(`Cannot build the Linux launcher: ${tool} does not run. Install a C compiler and make, e.g. apt install gcc make libc6-dev.`)
  }
}

/** The install brings Node 24 on Linux; elsewhere it is the developer's own. */
function requireNode24(env) {
  const version = spawnSync('node --version', { env, shell: true, encoding: 'utf8' }).stdout.trim()
  if (Number.parseInt(version.slice(1), 10) < 24)
    fail(`Cannot go on with Node ${version}: on this platform, install Node 24 or later yourself.`)
}

/** The directory of the pinned pnpm's executable. npx keeps it in npm's cache; nothing is installed globally. */
function pnpmDirectory() {
  const npx = `npx --yes --prefer-offline --fetch-retries=1 --loglevel=error --package=${pinnedPnpm()} -c "command -v pnpm"`
  const found = spawnSync(npx, { cwd: root, shell: true, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (found.status === 0) return dirname(found.stdout.trim())
  fail(
    `${found.stderr.trim()}\nCannot fetch ${pinnedPnpm()} with npx. ` +
      'npm must be on the PATH and the npm registry reachable, at least for the first run.',
  )
}

function pinnedPnpm() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager
}

function run(line, env = process.env) {
  const { status, signal, error } = spawnSync(line, { cwd: root, env, shell: true, stdio: 'inherit' })
  if (error) fail(`Cannot run ${line}: ${error.message}`)
  return status ?? (signal ? 1 : 0)
}

function fail(message) {
  console.error(`\n${message}\n`)
  process.exit(1)
}
