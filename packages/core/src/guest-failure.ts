import { ConfineError, describeEnd, type ErrorCode, type GuestEnd } from '@confine-sandbox/contract'
import type { ErrorPayload } from '@confine-sandbox/ipc'

/** The codes that a guest may claim for what failed in a call. Any other is what guest code threw. */
const callCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'ERR_CONFINE_CONTAINER_CLOSED',
  'ERR_CONFINE_CONTAINER_NOT_FOUND',
  'ERR_CONFINE_VALUE',
  'ERR_CONFINE_LIMIT',
  'ERR_CONFINE_REVOKED',
])

/** The same for what failed while it loaded a program or itself. */
const loadCodes: ReadonlySet<string> = new Set<ErrorCode>([
  ...(callCodes as ReadonlySet<ErrorCode>),
  'ERR_CONFINE_BAD_OPTION',
  'ERR_CONFINE_SOURCE_MISSING',
  'ERR_CONFINE_RUNTIME_INVALID',
  'ERR_CONFINE_CONTAINER_LIMIT',
])

/** The error of a call whose answer was a failure. The payload is the guest's word: its text is shortened, its code checked. */
export function callFailure(payload: ErrorPayload, method: string, cid: number): ConfineError {
  if (payload.name === 'MethodNotFound') return methodNotFound(method, cid)
  return failure('ERR_CONFINE_GUEST_THREW', payload, payload.message)
}

/** The error of a function or stream of the guest that failed. */
export function callbackFailure(payload: ErrorPayload): ConfineError {
  return failure('ERR_CONFINE_GUEST_THREW', payload, payload.message)
}

/** The error of a name that no runtime need be asked for, or that the runtime does not know. */
export function methodNotFound(method: string, cid: number): ConfineError {
  return new ConfineError('ERR_CONFINE_METHOD_NOT_FOUND', `Container ${cid} exports no function ${JSON.stringify(shorten(method))}`, {
    fields: { cid, method },
  })
}

/** The error of a source that could not be loaded. */
export function loadFailure(payload: ErrorPayload): ConfineError {
  const message = `The source could not be loaded: ${payload.name}: ${payload.message}${moduleHint(payload)}`
  return failure('ERR_CONFINE_SOURCE_FAILED', payload, message, loadCodes)
}

/** The commonest mistake in a package whose type is module. */
function moduleHint({ name, message }: ErrorPayload): string {
  const missing = name === 'ReferenceError' ? /^'?(exports|module|require|__filename|__dirname)'? is not defined$/.exec(message) : null
  if (missing === null) return ''
  return `. It was read as an ES module, where there is no ${missing[1]}: write import and export, or name it .cjs`
}

/** The error of a runtime that could not be loaded. */
export function runtimeFailure(payload: ErrorPayload): ConfineError {
  return failure('ERR_CONFINE_RUNTIME_INVALID', payload, payload.message, loadCodes)
}

/** The error of something that guest code threw where nobody waited for it. */
export function uncaughtFailure(payload: ErrorPayload): ConfineError {
  return failure('ERR_CONFINE_GUEST_THREW', payload, `Uncaught in the guest: ${payload.name}: ${payload.message}`)
}

/**
 * The error for those who waited for a process that ended.
 * @param startOutput What it wrote to stderr, when it ended before it was ready.
 */
export function endFailure(end: GuestEnd, startOutput = ''): ConfineError {
  const code: ErrorCode =
    end.kind === 'setup-failed'
      ? 'ERR_CONFINE_SETUP_FAILED'
      : end.kind === 'timeout'
        ? 'ERR_CONFINE_TIMEOUT'
        : end.kind === 'protocol'
          ? 'ERR_CONFINE_PROTOCOL'
          : 'ERR_CONFINE_GUEST_ENDED'
  const sentence = describeEnd(end)
  // A backend that explains the end has said what counts.
  const isUnexplained = end.kind === 'exited' || end.kind === 'signaled'
  const wrote = isUnexplained && startOutput.trim() !== '' ? `. It wrote: ${startOutput.trim()}` : ''
  return new ConfineError(code, sentence.charAt(0).toUpperCase() + sentence.slice(1) + wrote, { fields: { end } })
}

/** Whether a value that the guest sent is a failure. */
export function isErrorPayload(value: unknown): value is ErrorPayload {
  if (typeof value !== 'object' || value === null) return false
  const { code, name, message, stack } = value as Record<string, unknown>
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  return typeof name === 'string' && typeof message === 'string' && isText(code) && isText(stack)
}

function failure(fallback: ErrorCode, payload: ErrorPayload, message: string, codes = callCodes): ConfineError {
  if (payload.isOurs === true && codes.has(payload.code ?? '')) return new ConfineError(payload.code as ErrorCode, shorten(payload.message))
  return new ConfineError(fallback, shorten(message), {
    ...(payload.cause === undefined ? {} : { cause: payload.cause }),
    fields: {
      errorName: shorten(payload.name),
      errorCode: payload.code === undefined ? undefined : shorten(payload.code),
      details: payload.details,
      guestStack: payload.stack === undefined ? undefined : shorten(payload.stack),
    },
  })
}

/** Long enough for any stack, short enough for any log. */
const maxTextLength = 64 * 1024

function shorten(text: string): string {
  if (text.length <= maxTextLength) return text
  // A slice would keep the whole of the guest's text in memory.
  const start = Buffer.from(text.slice(0, maxTextLength), 'utf16le').toString('utf16le')
  return `${start}… (${text.length} characters)`
}
