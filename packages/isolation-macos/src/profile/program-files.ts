import { type Expression, param } from '../sbpl/expression.ts'
import { parameterNames } from './parameter-names.ts'
import { allow, type Rule } from './rule.ts'

/** How many of each there are: the rules depend on nothing else, whatever the paths are. */
export interface ProgramCounts {
  readonly libraries: number
  readonly reads: number
  readonly links: number
}

/** What this guest may execute and read: every path is a parameter. */
export function programFiles({ libraries, reads, links }: ProgramCounts): readonly Rule[] {
  const node = parameterNames.node
  const linkNames = numbered(links, parameterNames.link)
  const codeNames = [...numbered(libraries, parameterNames.library), ...numbered(reads, parameterNames.read)]
  return [
    allow('The one program: sandbox-exec starts it, the guest could only start it over.', ['original'], ['process-exec'], [literal(node)]),
    allow(
      'The program itself.',
      ['chromium-common', 'zero-296'],
      ['file-read*', 'file-test-existence', 'file-map-executable'],
      [literal(node)],
    ),
    allow(
      'The working directory, which is empty: process.cwd() needs it.',
      ['original', 'codex'],
      ['file-read*', 'file-test-existence'],
      [literal(parameterNames.cwd)],
    ),
    ...(codeNames.length === 0
      ? []
      : [
          allow(
            'Libraries of this node, and the guest with the packages of its runtime, native add-ons among them.',
            ['original', 'zero-296', 'firefox-map'],
            ['file-read*', 'file-test-existence', 'file-map-executable'],
            codeNames.map(subpath),
          ),
        ]),
    allow(
      'The directories above all these, and the links between packages: Node calls lstat on each to find out where a file really is.',
      ['original', 'cco-38', 'zero-302'],
      ['file-read-metadata', 'file-test-existence'],
      [...linkNames.map(literal), ...[node, parameterNames.cwd, ...codeNames, ...linkNames].map(pathAncestors)],
    ),
  ]
}

function numbered(count: number, name: (index: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => name(index))
}

function literal(name: string): Expression {
  return ['literal', param(name)]
}

function subpath(name: string): Expression {
  return ['subpath', param(name)]
}

function pathAncestors(name: string): Expression {
  return ['path-ancestors', param(name)]
}
