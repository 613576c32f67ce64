import { module } from 'confine:system'
import { AbortController, AbortSignal } from './abort.ts'
import { atob, btoa } from './base64.ts'
import { crypto, performance } from './crypto.ts'
import { DOMException } from './dom-exception.ts'
import { CustomEvent, Event, EventTarget } from './events.ts'
import { TextDecoder, TextEncoder } from './text-coding.ts'
import { URL } from './url.ts'
import { URLSearchParams } from './url-search-params.ts'

// Not `export`: what a bundler makes of that stumbles over a program's changes to Object.prototype.
module.exports = {
  AbortController,
  AbortSignal,
  CustomEvent,
  DOMException,
  Event,
  EventTarget,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  atob,
  btoa,
  crypto,
  performance,
}
