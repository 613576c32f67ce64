import type { TemplateFacts } from '../create-runtime.ts'

/** The types of a new runtime. */
export function runtimeTypes({ className }: TemplateFacts): string {
  return `import { AbstractConfineRuntime, type RuntimeOptions } from '@confine-sandbox/contract'

/** Runs programs in a language of stacks, a function a line. */
export declare class ${className} extends AbstractConfineRuntime {
  constructor(options?: ${className}.Options)
}

export declare namespace ${className} {
  /** What the constructor takes. */
  interface Options extends RuntimeOptions {
    /** The program, as text or UTF-8 bytes. */
    source?: string | Uint8Array
  }
}

export { ${className} as default, ${className} as 'module.exports' }
`
}
