import { basename, join } from 'node:path'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { runtimeBundle, runtimeLibrary, shared } from '../../tsup.base.ts'

const names = globSync('shims/node/*.cjs').map((path) => basename(path, '.cjs'))
const modules = new Set([...names, 'events', 'path', 'process', 'confine:system'])

/** What programs find in their isolates of the web and of Node, each a text for itself, all in one file that the guest reads once. */
const shims: Options = {
  ...shared,
  sourcemap: false,
  entry: Object.fromEntries([['web', 'shims/web/index.ts'], ...names.map((name) => [name, `shims/node/${name}.cjs`] as const)]),
  outDir: 'dist/shims',
  format: ['cjs'],
  platform: 'browser',
  minify: true,
  splitting: false,
  clean: false,
  noExternal: [/./],
  define: { 'process.env.NODE_ENV': '"production"' },
  esbuildPlugins: [
    {
      name: 'modules of Node are asked for at run time',
      setup(build) {
        build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
          if (kind === 'entry-point') return undefined
          const name = path.replace(/^node:/, '').replace(/\/$/, '')
          const isOwn = path.endsWith('/') && importer.endsWith(`/shims/node/${name}.cjs`)
          if (!isOwn && modules.has(name)) return { path: name, external: true }
          // Only what is used of neither is in the bundles.
          return name === 'vm' ? { path: 'vm', external: true } : undefined
        })
      },
    },
  ],
  async onSuccess() {
    const texts = ['web', ...names].map((name) => [name, readFileSync(`dist/shims/${name}.cjs`, 'utf8')] as const)
    let end = 0
    const places = texts.map(([name, text]) => {
      const start = end
      end += Buffer.byteLength(text)
      return [name, [start, end]]
    })
    const head = `${JSON.stringify(Object.fromEntries(places))}\n`
    writeFileSync('dist/shims.txt', head + texts.map(([, text]) => text).join(''))
    rmSync('dist/shims', { recursive: true })
  },
}

/** For guests: the host finds the files, so the bundle does not look for them. */
const guest: Options = {
  ...runtimeBundle(),
  esbuildPlugins: [
    {
      name: 'the files of this package are named by the host',
      setup(build) {
        build.onResolve({ filter: /\/own-files\.ts$/ }, ({ path, resolveDir }) => ({
          path: join(resolveDir, path.replace('.ts', '-of-guest.ts')),
        }))
        build.onResolve({ filter: /^isolated-vm$/ }, ({ path }) => ({ path, external: true }))
      },
    },
  ],
}

export default defineConfig([runtimeLibrary(), shims, guest])
