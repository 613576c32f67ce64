import { type Expression, param } from '../sbpl/expression.ts'
import { parameterNames } from './parameter-names.ts'
import { allow, type Rule } from './rule.ts'

/** Files and directories of the host that the policy grants. Canonical; none repeated, none in both lists. */
export interface Grants {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** What a guest may do with the files that it was granted. Nothing in them can be executed or mapped as code. */
export function grantedFiles({ read, write }: Grants): readonly Rule[] {
  const reads = read.map((_, index) => parameterNames.grantedRead(index))
  const writes = write.map((_, index) => parameterNames.grantedWrite(index))
  if (reads.length + writes.length === 0) return []
  return [
    allow(
      'Files that the policy grants, to be read.',
      ['original', 'srt'],
      ['file-read*', 'file-test-existence'],
      [...reads, ...writes].map(subpath),
    ),
    allow(
      'The directories above them: that they are there.',
      ['cco-38', 'zero-302'],
      ['file-read-metadata', 'file-test-existence'],
      [...reads, ...writes].map(pathAncestors),
    ),
    ...write.flatMap((path, index) => writeRules(parameterNames.grantedWrite(index), readOnlyWithin(path, { read, write }))),
  ]
}

/** The parameters of what stays read-only within a path that may be written. */
function readOnlyWithin(path: string, { read }: Grants): readonly string[] {
  return read.flatMap((inner, index) => (inner.startsWith(`${path}/`) ? [parameterNames.grantedRead(index)] : []))
}

function writeRules(name: string, readOnly: readonly string[]): readonly Rule[] {
  const within = [subpath(name), ...readOnly.map((inner) => not(subpath(inner)))]
  return [
    allow(
      'Files that the policy grants, to be written: their content, their mode and their times. No owner, no flag, no attribute.',
      ['sbpl-vim', 'srt'],
      ['file-write-data', 'file-write-mode', 'file-write-times'],
      [all(within)],
    ),
    allow(
      'Files and directories can be made there: no link, no socket, no pipe, no device.',
      ['link-denials'],
      ['file-write-create'],
      [all([...within, ['require-any', ['vnode-type', 'REGULAR-FILE'], ['vnode-type', 'DIRECTORY']]])],
    ),
    allow(
      'They can be removed and moved; not the granted path itself, and nothing above what stays read-only.',
      ['srt-moves'],
      ['file-write-unlink'],
      [all([...within, not(literal(name)), ...readOnly.map((inner) => not(pathAncestors(inner)))])],
    ),
  ]
}

function all(filters: readonly Expression[]): Expression {
  return filters.length === 1 ? filters[0]! : ['require-all', ...filters]
}

function not(filter: Expression): Expression {
  return ['require-not', filter]
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
