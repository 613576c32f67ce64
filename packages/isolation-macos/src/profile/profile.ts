import type { OnViolation } from '@confine-sandbox/contract'
import { denials } from './denials.ts'
import { type Grants, grantedFiles } from './granted-files.ts'
import { hardenedAllowances, hardenedDenials } from './hardened.ts'
import { kernel } from './kernel.ts'
import { parameterNames } from './parameter-names.ts'
import { programFiles } from './program-files.ts'
import { printRules, type Rule } from './rule.ts'
import { systemFiles } from './system-files.ts'

/** What a profile is made of. Every path is absolute, canonical and not the root. */
export interface ProfileInput {
  /** The node binary. */
  readonly node: string
  /** The empty working directory. */
  readonly cwd: string
  /** Directories with libraries that this node is linked with, beyond the system's. */
  readonly libraries: readonly string[]
  /** Files and directories that the guest can read. */
  readonly reads: readonly string[]
  /** Symbolic links that the guest follows: the links themselves. */
  readonly links: readonly string[]
  /** Files of the host that the guest may use. */
  readonly grants: Grants
  readonly hardened: boolean
  readonly onViolation: OnViolation
}

/** A profile as sandbox-exec takes it: its text, and the values that are handed over beside it. */
export interface Profile {
  /** Printable ASCII. The same text for every set of paths that has as many of each kind, nested in the same way. */
  readonly text: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Turns what a guest may do into a Seatbelt profile. A pure function. */
export function profile(input: ProfileInput): Profile {
  const { grants, hardened, onViolation } = input
  const writes = grants.write.length > 0
  const counts = { libraries: input.libraries.length, reads: input.reads.length, links: input.links.length }
  // Denials first, allowances after: whether "later wins" or "the more specific operation wins" (both are told of Seatbelt),
  // an act is allowed exactly when an allowance matches it.
  const rules: readonly Rule[] = [
    ...denials({ onViolation, writes }),
    ...(hardened ? hardenedDenials(onViolation) : []),
    ...kernel,
    ...(hardened ? hardenedAllowances({ writes }) : []),
    ...systemFiles,
    ...programFiles(counts),
    ...grantedFiles(grants),
  ]
  return { text: printRules(rules), parameters: parametersOf(input) }
}

function parametersOf({ node, cwd, libraries, reads, links, grants }: ProfileInput): Record<string, string> {
  return Object.fromEntries([
    [parameterNames.node, node],
    [parameterNames.cwd, cwd],
    ...libraries.map((path, index) => [parameterNames.library(index), path]),
    ...reads.map((path, index) => [parameterNames.read(index), path]),
    ...links.map((path, index) => [parameterNames.link(index), path]),
    ...grants.read.map((path, index) => [parameterNames.grantedRead(index), path]),
    ...grants.write.map((path, index) => [parameterNames.grantedWrite(index), path]),
  ])
}
