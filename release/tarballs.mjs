// What is in the tarballs, and what must not be.
import { spawnSync } from 'node:child_process'

/** Problems with a tarball, in words. */
export function problemsOf(tarball, { name, bin = {}, exports }) {
  const files = new Map(listing(tarball).map((one) => [one.path, one]))
  const problems = []
  for (const path of ['package.json', 'README.md', 'LICENSE']) if (!files.has(path)) problems.push(`${name} has no ${path}`)
  for (const path of files.keys()) {
    if (!allowed.test(path)) problems.push(`${name} holds ${path}, which is for nobody who installs it`)
    if (secret.test(path)) problems.push(`${name} holds ${path}, which may be secret`)
  }
  for (const path of targets(exports)) if (!files.has(path)) problems.push(`${name} exports ${path}, which is not there`)
  for (const path of Object.values(bin).map(plain)) {
    if (!files.has(path)) problems.push(`${name} has a command ${path}, which is not there`)
    else if (!files.get(path).isExecutable) problems.push(`${name} has a command ${path}, which cannot be executed`)
  }
  if (name.endsWith('isolation-linux')) {
    const launchers = [...files.values()].filter(({ path }) => path.startsWith('prebuilds/'))
    if (launchers.length === 0) problems.push(`${name} has no launcher`)
    for (const { path, isExecutable } of launchers) if (!isExecutable) problems.push(`${name}: ${path} cannot be executed`)
  }
  return problems
}

const allowed =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/|prebuilds\/linux-(x64|arm64)\/confine-(launch|probe)$|scripts\/[\w-]+\.sh$|template\/|bin\/)/
const secret = /(^|\/)(\.env|\.npmrc|.*\.(pem|key)|id_[a-z0-9]+)$/

function listing(tarball) {
  const { stdout } = spawnSync('tar', ['-tvzf', tarball], { encoding: 'utf8' })
  return stdout
    .trim()
    .split('\n')
    .map((line) => ({ isExecutable: line[3] === 'x', path: line.split(/\s+/).slice(5).join(' ').replace('package/', '') }))
}

function targets(exports) {
  if (typeof exports === 'string') return [plain(exports)]
  return Object.values(exports ?? {}).flatMap(targets)
}

function plain(path) {
  return path.replace(/^\.\//, '')
}
