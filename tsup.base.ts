import type { Options } from 'tsup'

/** A package with one public module: ESM, CommonJS and the types of both. */
export function library(options: Options = {}): Options {
  return {
    ...shared,
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    dts: true,
    shims: true,
    // Leaves alone what others write to the same directory at the same time.
    clean: ['!entry.*', '!program.*', '!guest.*', '!command/**'],
    ...options,
  }
}

/**
 * A runtime: `require()` gives the class itself, `import` gives it as the default.
 * The guest reads few files while it starts, so the contract comes along in the same file, with no more text than there
 * must be. Names stay whole, as they stand in stacks; the base class stays imported: it is the one that others know.
 */
export function runtimeLibrary(): Options {
  return library({
    // For the types, `export =`; the footer does the same for the program.
    cjsInterop: true,
    noExternal: ['@confine-sandbox/contract', 'es-module-lexer'],
    esbuildOptions(options, { format }) {
      if (format !== 'cjs') return
      options.footer = { js: 'module.exports = module.exports.default' }
      shorten(options)
    },
  })
}

/**
 * A program of one self-contained CommonJS file that imports nothing but Node's own modules. It is made of the packages'
 * sources: of a built package, the modules of Node that are imported for what is left out would still be loaded.
 */
export function bundle(entry: string): Options {
  const esbuildOptions: Options['esbuildOptions'] = (options) => {
    options.conditions = ['@confine/source']
    shorten(options)
  }
  return { ...shared, entry: [entry], format: ['cjs'], noExternal: [/^(?!node:)/], clean: false, esbuildOptions }
}

/** A runtime as one file that a guest loads without looking for any other: the manifest's `bundle`. */
export function runtimeBundle(): Options {
  return { ...bundle('src/index.ts'), entry: { guest: 'src/index.ts' }, footer: { js: 'module.exports = module.exports.default' } }
}

function shorten(options: { minifyWhitespace?: boolean; minifySyntax?: boolean }): void {
  options.minifyWhitespace = true
  options.minifySyntax = true
}

/** A program that users run: an ES module beside the library, which finds its packages as that one does. */
export function program(entry: string, outDir: string): Options {
  return { ...shared, entry: [entry], format: ['esm'], outDir, clean: false }
}

/** What all of them have in common. */
export const shared: Options = {
  target: 'node24',
  platform: 'node',
  sourcemap: true,
  removeNodeProtocol: false,
  silent: true,
}
