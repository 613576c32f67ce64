/** What a shim may ask of the outside; answers are data. */
declare module 'confine:system' {
  export function system(name: 'random', size: number): Uint8Array
  export function system(name: 'uuid'): string
  /** The module that asks. */
  export const module: { exports: unknown }

  /** Undefined: it is no URL. */
  export function system(name: 'url', url: string, base?: string): UrlParts | undefined
  /** The URL with one part changed, as the web defines it. */
  export function system(name: 'url-with', url: string, part: string, value: string): UrlParts
  /** A host name in ASCII or in Unicode. */
  export function system(name: 'domain', domain: string, form: 'ascii' | 'unicode'): string
  /** The web's name of an encoding; undefined: there is none. */
  export function system(name: 'encoding', label: string): string | undefined
  /** Undefined: the bytes are malformed. */
  export function system(name: 'decode', encoding: string, bytes: Uint8Array, isFatal: boolean): string | undefined

  export interface UrlParts {
    readonly href: string
    readonly origin: string
    readonly protocol: string
    readonly username: string
    readonly password: string
    readonly host: string
    readonly hostname: string
    readonly port: string
    readonly pathname: string
    readonly search: string
    readonly hash: string
  }
}
