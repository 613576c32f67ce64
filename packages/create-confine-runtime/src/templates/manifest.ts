import type { TemplateFacts } from '../create-runtime.ts'

/** The package.json of a new runtime. */
export function manifest({ packageName, ranges }: TemplateFacts): string {
  const { '@confine-sandbox/contract': contract, ...development } = ranges
  const json = {
    name: packageName,
    version: '0.1.0',
    description: 'A runtime for confine-sandbox',
    license: 'MIT',
    type: 'module',
    engines: { node: '>=24' },
    main: './index.js',
    types: './index.d.ts',
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    files: ['index.js', 'index.d.ts'],
    confine: { maxContainers: 1, threads: false },
    scripts: { test: 'node --test' },
    dependencies: { '@confine-sandbox/contract': contract },
    devDependencies: development,
  }
  return `${JSON.stringify(json, null, 2)}\n`
}
