import { type ClaimOptions, type CoreSandboxOptions, type PoolOptions, SandboxPool as CoreSandboxPool } from '@confine-sandbox/core'
import { namesToObjects, Sandbox, type SandboxConstructorOpts } from './sandbox.ts'

/** Options of a SandboxPool: its own, and those of all its sandboxes. All but `runtime` are optional. */
export interface SandboxPoolOptions extends PoolOptions, SandboxConstructorOpts {}

/** Keeps confined guests ready, so that a claim takes a fresh one in well under a millisecond. Runtimes are given by name. */
export class SandboxPool extends CoreSandboxPool {
  /** Launches the first guests at once. @throws what `new Sandbox()` throws, and ERR_CONFINE_BAD_OPTION */
  constructor(options: SandboxPoolOptions) {
    super(namesToObjects(options))
  }

  override async claim(options?: ClaimOptions): Promise<Sandbox> {
    return (await super.claim(options)) as Sandbox
  }

  protected override makeSandbox(options: CoreSandboxOptions): Sandbox {
    return new Sandbox(options as SandboxConstructorOpts)
  }
}
