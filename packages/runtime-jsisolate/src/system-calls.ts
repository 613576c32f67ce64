import { domainToASCII, domainToUnicode } from 'node:url'
import { types } from 'node:util'

/**
 * What the shims of an isolate ask of the process: text and bytes for text and bytes. A program may ask the same, with
 * whatever it likes; it learns nothing that is not a function of what it asked, random bytes aside.
 * @throws a TypeError for what no shim asks; nothing of it reaches the program.
 */
export function systemCall(name: unknown, ...args: readonly unknown[]): unknown {
  switch (name) {
    case 'random': {
      const [size] = args
      if (typeof size !== 'number' || !(size >= 0 && size <= 65_536)) throw new TypeError('No size of random bytes')
      return new Uint8Array(nodeCrypto().randomBytes(Math.floor(size)))
    }
    case 'uuid':
      return nodeCrypto().randomUUID()
    case 'url': {
      const [url, base] = args
      if (text(url).length > maxSize) return undefined
      const parsed = URL.parse(text(url), base === undefined ? undefined : text(base))
      return parsed === null ? undefined : parts(parsed)
    }
    case 'url-with': {
      const [href, part, value] = args
      const url = new URL(text(href))
      if (settable.has(text(part)) && text(value).length <= maxSize) Reflect.set(url, text(part), text(value))
      return parts(url)
    }
    case 'domain': {
      const [domain, form] = args
      return form === 'ascii' ? domainToASCII(text(domain)) : domainToUnicode(text(domain))
    }
    case 'encoding':
      return decoder(args[0], false)?.encoding
    case 'decode': {
      const [encoding, bytes, isFatal] = args
      if (!ArrayBuffer.isView(bytes) || bytes.byteLength > maxSize) throw new TypeError('No bytes to decode')
      // What both sides can write is not read in place, whoever could change it.
      const own = types.isSharedArrayBuffer(bytes.buffer) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice() : bytes
      try {
        return decoder(encoding, isFatal === true)?.decode(own as Uint8Array)
      } catch {
        return undefined
      }
    }
    default:
      throw new TypeError('There is no such question')
  }
}

/** Loaded for the first program that asks: it takes longer to load than an isolate takes to make. */
function nodeCrypto() {
  return process.getBuiltinModule('node:crypto')
}

/** Of one question, so that a program does not fill the memory of the process instead of its own: bytes, or characters. */
const maxSize = 4 * 1024 * 1024

const settable = new Set(['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'])

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('No text')
}

function parts({ href, origin, protocol, username, password, host, hostname, port, pathname, search, hash }: URL) {
  return { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash }
}

function decoder(label: unknown, fatal: boolean): InstanceType<typeof TextDecoder> | undefined {
  try {
    // The shim handles the mark of byte order, as it knows where a text begins.
    return new TextDecoder(text(label), { fatal, ignoreBOM: true })
  } catch {
    return undefined
  }
}
