import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './packages.ts'

const execute = promisify(execFile)

/** An empty project in a temporary directory into which the packed tarballs of this repository were installed with plain npm. */
export interface Consumer {
  directory: string
  /** Writes a file and runs it with the pinned Node; gives its standard output. Throws what the program printed when it fails. */
  run(fileName: string, source: string): Promise<string>
  /** Writes a file and type-checks it with TypeScript 7, libraries included; gives the errors, empty when there are none. */
  typeCheck(fileName: string, source: string, moduleResolution: 'nodenext' | 'bundler'): Promise<string>
  remove(): Promise<void>
}

export async function createConsumer(): Promise<Consumer> {
  const directory = await mkdtemp(join(tmpdir(), 'confine-consumer-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  await fill(directory).catch(async (error) => {
    await remove()
    throw error
  })

  return {
    directory,
    async run(fileName, source) {
      await write(fileName, source)
      return (await execute(process.execPath, [fileName], { cwd: directory, timeout: 60_000 })).stdout
    },
    async typeCheck(fileName, source, moduleResolution) {
      await write(fileName, source)
      const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
      const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2024', '--types', 'node']
      const compiler = join(root, 'packages/contract/node_modules/.bin/tsc')
      const line = [...options, '--module', module, '--moduleResolution', moduleResolution, fileName]
      return execute(compiler, line, { cwd: directory }).then(
        () => '',
        (error: { stdout?: string; message: string }) => error.stdout || error.message,
      )
    },
    remove,
  }

  async function write(fileName: string, source: string) {
    await mkdir(dirname(join(directory, fileName)), { recursive: true })
    await writeFile(join(directory, fileName), source)
  }
}

async function fill(directory: string) {
  const tarballs = join(directory, 'tarballs')
  await execute('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', tarballs], { cwd: root })
  await writeFile(join(directory, 'package.json'), '{ "name": "consumer", "private": true }\n')
  const files = (await readdir(tarballs)).map((name) => `./tarballs/${name}`)
  await install(directory, files)
  // A consumer that writes TypeScript has these already.
  await mkdir(join(directory, 'node_modules/@types'), { recursive: true })
  await symlink(join(root, 'node_modules/@types/node'), join(directory, 'node_modules/@types/node'))
}

/**
 * From npm's cache when it holds all that is needed, from the registry otherwise: npm asks for our names too, and waits
 * minutes when there is no network. Without install scripts, so that a package which needed one fails in the tests.
 */
async function install(directory: string, tarballs: string[]) {
  // npm tells the scripts that it runs where their project is; an npm started by them would install there.
  const { npm_config_local_prefix: _, ...env } = process.env
  const npm = (source: string) =>
    execute('npm', ['install', source, '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], { cwd: directory, env })
  await npm('--offline').catch(() => npm('--prefer-offline'))
}
