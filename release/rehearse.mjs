// Everything of a release but telling the world: `npm run release:rehearse`.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { consumers } from './consumers.mjs'
import { startRegistry } from './registry.mjs'
import { problemsOf } from './tarballs.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..')
const work = mkdtempSync(join(tmpdir(), 'confine-release-'))
const maxInstalledMB = 40
const problems = []

const clients = [
  {
    name: 'npm',
    install: (directory, env) => run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], directory, env),
  },
  {
    name: 'pnpm',
    install: (directory, env) => run('pnpm', ['install', '--ignore-scripts', '--ignore-workspace', '--loglevel=warn'], directory, env),
  },
  { name: 'yarn', install: installWithYarn },
]

const packages = readdirSync(join(root, 'packages'))
  .map((folder) => join(root, 'packages', folder))
  .filter((directory) => existsSync(join(directory, 'package.json')))
  .map((directory) => ({ directory, manifest: manifestOf(directory) }))
  .filter(({ manifest }) => manifest.private !== true)

let registry
try {
  run('pnpm', ['install', '--frozen-lockfile', '--ignore-scripts', '--loglevel=warn'], here)
  pack()
  registry = await startRegistry(join(work, 'registry'))
  const npmrc = `registry=${registry.url}\n//${new URL(registry.url).host}/:_authToken=${registry.token}\n`
  publish(npmrc)
  for (const client of clients) useWith(client, npmrc)
} finally {
  registry?.stop()
  rmSync(work, { recursive: true, force: true })
}
for (const problem of problems) console.error(`FAILED ${problem}`)
process.exit(problems.length === 0 ? 0 : 1)

/** Packs everything and looks into the tarballs. */
function pack() {
  const tarballs = join(work, 'tarballs')
  run('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', tarballs], root)
  for (const { manifest } of packages) {
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    const found = problemsOf(join(tarballs, file), { ...manifest, ...manifest.publishConfig })
    problems.push(...found)
    console.log(`${found.length === 0 ? 'packed' : 'FAILED'}     ${file}, ${Math.round(statSync(join(tarballs, file)).size / 1024)} KiB`)
  }
}

/** What our packages depend on, then they themselves. */
function publish(npmrc) {
  for (const directory of dependencies()) {
    const copy = join(work, 'dependencies', directory.replaceAll('/', '_'))
    cpSync(directory, copy, { recursive: true, filter: (path) => !path.slice(directory.length).includes('/node_modules') })
    writeFileSync(join(copy, '.npmrc'), npmrc)
    run('npm', ['publish', '--ignore-scripts', '--tag', 'latest', '--loglevel=error'], copy)
  }
  const userconfig = join(work, 'npmrc')
  writeFileSync(userconfig, npmrc)
  const args = [
    '--recursive',
    '--filter',
    './packages/*',
    'publish',
    '--no-git-checks',
    '--access',
    'public',
    '--registry',
    npmrc.split('\n')[0].slice(9),
  ]
  // Started by npm run, npm's own setting is there in small letters.
  run('pnpm', args, root, { NPM_CONFIG_USERCONFIG: userconfig, npm_config_userconfig: userconfig })
  console.log(`published  ${packages.length} packages to a registry on loopback`)
}

/** Directories of everything that is installed along with our packages, and is not ours. */
function dependencies() {
  const found = new Map()
  const visit = (directory) => {
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(directory)
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = locate(name, directory)
      if (at === undefined || found.has(at) || packages.some((one) => realpathSync(one.directory) === at)) continue
      found.set(at, name)
      visit(at)
    }
  }
  for (const { directory } of packages) visit(directory)
  return [...found.keys()]
}

function locate(name, from) {
  for (const place of createRequire(join(realpathSync(from), 'package.json')).resolve.paths(name) ?? []) {
    if (existsSync(join(place, name, 'package.json'))) return realpathSync(join(place, name))
  }
  return undefined
}

/** Installs with one of the clients, and uses what was installed under each Node. */
function useWith({ name, install }, npmrc) {
  const directory = join(work, name)
  mkdirSync(directory)
  const [{ manifest }] = packages.filter((one) => one.manifest.name === 'confine-sandbox')
  const dependencies = { 'confine-sandbox': manifest.version }
  // yarn adds node-gyp to whatever has an install script. Nothing is built here, so anything will do for it.
  const resolutions = { 'node-gyp': 'npm:abstract-confine-runtime@*' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies, resolutions }))
  writeFileSync(join(directory, '.npmrc'), npmrc)
  const env = { HOME: join(work, 'home'), npm_config_cache: join(work, 'cache'), npm_config_store_dir: join(work, 'store'), CI: '1' }
  install(directory, env, npmrc)
  for (const { file, text } of consumers) writeFileSync(join(directory, file), text)
  for (const node of nodes()) {
    const path = { PATH: [dirname(node), process.env.PATH].join(delimiter) }
    for (const { file, printed } of consumers) {
      const end = spawnSync(node, [file], { cwd: directory, env: { ...process.env, ...path }, encoding: 'utf8', timeout: 180_000 })
      if (end.stdout !== printed) problems.push(`${name}, ${versionOf(node)}: ${file} printed ${JSON.stringify(end.stdout + end.stderr)}`)
    }
    const command = spawnSync(join(directory, 'node_modules/.bin/confine'), ['doctor', '--json'], {
      cwd: directory,
      env: { ...process.env, ...path },
      encoding: 'utf8',
    })
    if (!command.stdout.includes('"starts"'))
      problems.push(`${name}, ${versionOf(node)}: confine doctor printed ${command.stdout + command.stderr}`)
    console.log(`used       by ${name}, Node ${versionOf(node)}: ESM, CommonJS and TypeScript with both runtimes, confine doctor`)
  }
  if (name !== 'npm') return
  useExamples(directory)
  const megabytes = Number(run('du', ['-sk', '--apparent-size', 'node_modules'], directory).split('\t')[0]) / 1000
  console.log(`size       ${megabytes.toFixed(1)} MB installed`)
  if (megabytes > maxInstalledMB) problems.push(`confine-sandbox takes ${megabytes.toFixed(1)} MB installed, more than ${maxInstalledMB}`)
}

/** As somebody does who copies them: with nothing around them but what was installed. */
function useExamples(directory) {
  const copied = [
    'hello.mjs',
    'host-functions.mjs',
    'streams.mjs',
    'plug-in-host.mjs',
    'own-runtime.mjs',
    'template-runtime',
    'own-backend.mjs',
  ]
  for (const file of copied) cpSync(join(root, 'examples', file), join(directory, file), { recursive: true })
  const programs = copied.filter((file) => file.endsWith('.mjs'))
  for (const file of programs) run(process.execPath, [file], directory)
  console.log(`examples   ${programs.join(', ')} run from what was installed`)
}

/** Yarn 4, with a node_modules: in an archive (Plug'n'Play) the guest would find nothing. */
function installWithYarn(directory, env, npmrc) {
  const server = npmrc.split('\n')[0].slice('registry='.length)
  const config = {
    npmRegistryServer: server,
    unsafeHttpWhitelist: ['127.0.0.1'],
    nodeLinker: 'node-modules',
    enableTelemetry: false,
    enableScripts: false,
  }
  writeFileSync(
    join(directory, '.yarnrc.yml'),
    JSON.stringify({ ...config, npmMinimalAgeGate: 0, enableGlobalCache: false, enableImmutableInstalls: false }),
  )
  writeFileSync(join(directory, 'yarn.lock'), '')
  run(process.execPath, [join(here, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js'), 'install'], directory, env)
}

/** This Node, and the one that comes next. */
function nodes() {
  const next = join(here, `node_modules/node-26-linux-${process.arch}/bin/node`)
  return existsSync(next) ? [process.execPath, next] : [process.execPath]
}

function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
}

function manifestOf(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}

/** Runs a command to its end, and throws what it printed when it fails. */
function run(file, args, cwd, env = {}) {
  const { npm_config_local_prefix: _, ...inherited } = process.env
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env: { ...inherited, ...env }, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`${file} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`)
}
