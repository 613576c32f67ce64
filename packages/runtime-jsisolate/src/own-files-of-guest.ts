// Takes the place of own-files.ts in the bundle for guests, where the host has found everything (package.json, field confine).
import type ivm from 'isolated-vm'

declare const require: (name: string) => unknown
declare const __dirname: string

/** Path of the texts of the web and of Node. */
export const shimsPath = `${__dirname}/shims.txt`

/** isolated-vm. */
export const addon: typeof ivm = (require('isolated-vm') as { readonly ivm: typeof ivm }).ivm
